"""How an app becomes one that these tasks release: what is missing is written, and nothing else is touched."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.config import load, validate
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain import changelog
from kaizen_tasks.domain.init import notes, render_toml, tasks_file
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.file_change import Change
from kaizen_tasks.domain.init.notes import Remark
from kaizen_tasks.domain.init.workflows import Delivery, Stage, files
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.release.files import CHANGELOG, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kaizen_tasks.domain.init.merge_by_environment import Evidence
    from kaizen_tasks.domain.init.proposal import Proposal
    from kaizen_tasks.domain.init.repo_scan import Premises
    from kaizen_tasks.ports.scm import Documents

IGNORE = ".gitignore"
BYTE_CODE = "__pycache__/"
PATTERN = {*"*?["}


@frozen(kw_only=True)
class Adoption:
    """What is about to be done.

    Attributes:
        settings: the configuration that holds afterwards.
        where: where that stands.
        changes: files that are written.
        kept: files that are there and stay as they are.
        remarks: what only a person can do or judge.
    """

    settings: Settings
    where: str
    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    remarks: tuple[Remark, ...]


def plan(root: Path, evidence: Evidence, proposal: Proposal, documents: Documents, *, workflows: str = "") -> Adoption:
    """Decide what is missing.

    Args:
        root: the app's folder.
        evidence: what was found.
        proposal: what to configure where nothing is.
        documents: the files in the folder.
        workflows: the version of these tasks that workflows install; empty when none are wanted.

    Raises:
        ConfigurationError: the app is configured already, and that configuration is wrong.
    """
    premises = evidence.premises
    configured = load.read(root)
    wanted = tuple(_wanted(premises, proposal, configured=configured is not None))
    settings = _settings(configured or _as_written(root, wanted))
    if workflows:
        wanted = (*wanted, *_workflows(settings, version=workflows))
    there = {name: documents.read(name) is not None for name, _ in wanted}
    return Adoption(
        settings=settings,
        where=configured.name if configured else load.FILE,
        changes=(
            *(Change(path=name, after=content) for name, content in wanted if not there[name]),
            *_ignoring(premises, documents),
        ),
        kept=tuple(name for name, is_there in there.items() if is_there),
        remarks=(
            *notes.of_entrance(documents.read(tasks_file.FILE)),
            *(() if configured else _remarks(evidence, proposal)),
        ),
    )


def _wanted(premises: Premises, proposal: Proposal, *, configured: bool) -> Iterator[tuple[str, bytes]]:
    """Yield every file that an app needs, with what it would hold."""
    if not configured:
        yield load.FILE, render_toml.configuration(proposal).encode()
    yield tasks_file.FILE, tasks_file.NEW.encode()
    yield VERSION, f"{previous_releases.version(premises.repository.tags, premises.texts)}\n".encode()
    yield CHANGELOG, changelog.empty()


def _workflows(settings: Settings, *, version: str) -> Iterator[tuple[str, bytes]]:
    """Yield the workflows of the pipeline that is configured."""
    delivery = Delivery(
        branch=next((name for name in settings.release.branches if not PATTERN & {*name}), "main"),
        region=settings.aws.region,
        stages=tuple(_stage(name, settings) for name in settings.pipeline),
        version=version,
    )
    for path, text in files(delivery).items():
        yield path, text.encode()


def _stage(name: str, settings: Settings) -> Stage:
    environments = settings.stage(name).environments
    protected = any(environment.protected for environment in environments)
    return Stage(name=name, protected=protected, size=len(environments))


def _as_written(root: Path, wanted: tuple[tuple[str, bytes], ...]) -> load.Source:
    return load.Source(root, load.FILE, tomllib.loads(dict(wanted)[load.FILE].decode()))


def _settings(configured: load.Source) -> Settings:
    return validate.read(configured, load.with_defaults(configured.raw))


def _ignoring(premises: Premises, documents: Documents) -> Iterator[Change]:
    """Let git ignore what Python leaves beside `tasks.py`."""
    if BYTE_CODE not in premises.ignored:
        before = documents.read(IGNORE)
        line = b"" if before is None or before.endswith(b"\n") or not before else b"\n"
        yield Change(path=IGNORE, before=before, after=(before or b"") + line + f"{BYTE_CODE}\n".encode())


def _remarks(evidence: Evidence, proposal: Proposal) -> Iterator[Remark]:
    """Yield what there is to say of a proposal; of a configuration that exists, nobody wants a second opinion."""
    yield from notes.of_repository(evidence.premises, proposal)
    yield from notes.of_image(evidence.premises, proposal)
    yield from notes.of_witnesses(proposal, evidence.traces)
    yield from notes.of_account(proposal, evidence.account)


def write(adoption: Adoption, documents: Documents) -> None:
    """Write what is missing.

    Raises:
        Refused: a file cannot be written, or has appeared meanwhile.
    """
    for change in adoption.changes:
        if documents.read(change.path) != change.before:
            raise Refused(f"{change.path} has changed meanwhile", state="it is as it was", hint="kaizen init again")
        documents.write(change.path, change.after)
