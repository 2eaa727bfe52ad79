"""How an app becomes one that these tasks release: what is missing is written, and nothing else is touched."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.config import load, validate
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.changelog.add import empty_changelog
from kaizen_tasks.domain.init import notes, render_toml, tasks_file
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.file_change import FileChange
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.domain.init.workflows import WorkflowInputs, WorkflowStage, render_workflows
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.release.files import CHANGELOG_FILE, VERSION_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kaizen_tasks.domain.init.merge_by_environment import ScanResult
    from kaizen_tasks.domain.init.proposal import Proposal
    from kaizen_tasks.domain.init.repo_scan import RepoScan
    from kaizen_tasks.ports.scm import ReleaseFiles

GITIGNORE_FILE = ".gitignore"
PYCACHE_PATTERN = "__pycache__/"
GLOB_CHARACTERS = {*"*?["}


@frozen(kw_only=True)
class InitPlan:
    """What is about to be done.

    Attributes:
        settings: the configuration that holds afterwards.
        config_name: where that stands.
        changes: files that are written.
        existing_files: files that are there and stay as they are.
        notes: what only a person can do or judge.
    """

    settings: Settings
    config_name: str
    changes: tuple[FileChange, ...]
    existing_files: tuple[str, ...]
    notes: tuple[Note, ...]


def plan_init(
    root: Path, scan: ScanResult, proposal: Proposal, documents: ReleaseFiles, *, workflow_version: str = ""
) -> InitPlan:
    """Decide what is missing.

    Args:
        root: the app's folder.
        scan: what was found.
        proposal: what to configure where nothing is.
        documents: the files in the folder.
        workflow_version: the version of these tasks that workflows install; empty when none are wanted.

    Raises:
        ConfigurationError: the app is configured already, and that configuration is wrong.
    """
    repo_scan = scan.repo_scan
    config_file = load.read_config_file(root)
    required_files = tuple(_required_files(repo_scan, proposal, is_configured=config_file is not None))
    settings = _load_settings(config_file or _proposed_config(root, required_files))
    if workflow_version:
        required_files = (*required_files, *_workflow_files(settings, version=workflow_version))
    exists_by_name = {name: documents.read(name) is not None for name, _ in required_files}
    return InitPlan(
        settings=settings,
        config_name=config_file.name if config_file else load.CONFIG_FILE_NAME,
        changes=(
            *(FileChange(path=name, after=content) for name, content in required_files if not exists_by_name[name]),
            *_gitignore_changes(repo_scan, documents),
        ),
        existing_files=tuple(name for name, exists in exists_by_name.items() if exists),
        notes=(
            *notes.tasks_file_notes(documents.read(tasks_file.TASKS_FILE_NAME)),
            *(() if config_file else _notes(scan, proposal)),
        ),
    )


def _required_files(repo_scan: RepoScan, proposal: Proposal, *, is_configured: bool) -> Iterator[tuple[str, bytes]]:
    """Yield every file that an app needs, with what it would hold."""
    if not is_configured:
        yield load.CONFIG_FILE_NAME, render_toml.render_config(proposal).encode()
    yield tasks_file.TASKS_FILE_NAME, tasks_file.NEW_TASKS_FILE.encode()
    yield VERSION_FILE, f"{previous_releases.initial_version(repo_scan.repository.tags, repo_scan.texts)}\n".encode()
    yield CHANGELOG_FILE, empty_changelog()


def _workflow_files(settings: Settings, *, version: str) -> Iterator[tuple[str, bytes]]:
    """Yield the workflows of the pipeline that is configured."""
    workflow_inputs = WorkflowInputs(
        branch=next((name for name in settings.release.branches if not GLOB_CHARACTERS & {*name}), "main"),
        region=settings.aws.region,
        stages=tuple(_workflow_stage(name, settings) for name in settings.pipeline),
        version=version,
    )
    for path, text in render_workflows(workflow_inputs).items():
        yield path, text.encode()


def _workflow_stage(name: str, settings: Settings) -> WorkflowStage:
    environments = settings.stage(name).environments
    protected = any(environment.protected for environment in environments)
    return WorkflowStage(name=name, protected=protected, size=len(environments))


def _proposed_config(root: Path, required_files: tuple[tuple[str, bytes], ...]) -> load.ConfigFile:
    return load.ConfigFile(
        root, load.CONFIG_FILE_NAME, tomllib.loads(dict(required_files)[load.CONFIG_FILE_NAME].decode())
    )


def _load_settings(config_file: load.ConfigFile) -> Settings:
    return validate.build_settings(config_file, load.with_defaults(config_file.table))


def _gitignore_changes(repo_scan: RepoScan, documents: ReleaseFiles) -> Iterator[FileChange]:
    """Let git ignore what Python leaves beside `tasks.py`."""
    if PYCACHE_PATTERN not in repo_scan.ignored_names:
        content = documents.read(GITIGNORE_FILE)
        separator = b"" if content is None or content.endswith(b"\n") or not content else b"\n"
        yield FileChange(
            path=GITIGNORE_FILE, before=content, after=(content or b"") + separator + f"{PYCACHE_PATTERN}\n".encode()
        )


def _notes(scan: ScanResult, proposal: Proposal) -> Iterator[Note]:
    """Yield what there is to say of a proposal; of a configuration that exists, nobody wants a second opinion."""
    yield from notes.repository_notes(scan.repo_scan, proposal)
    yield from notes.image_notes(scan.repo_scan, proposal)
    yield from notes.conflict_notes(proposal, scan.facts)
    yield from notes.guess_notes(proposal, scan.account_scan)


def apply_plan(init_plan: InitPlan, documents: ReleaseFiles) -> None:
    """Write what is missing.

    Raises:
        Refused: a file cannot be written, or has appeared meanwhile.
    """
    for change in init_plan.changes:
        if documents.read(change.path) != change.before:
            raise Refused(f"{change.path} has changed meanwhile", state="it is as it was", hint="kaizen init again")
        documents.write(change.path, change.after)
