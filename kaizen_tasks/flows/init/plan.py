"""Plans what `kaizen init` writes: the files that are missing, and a line of `.gitignore`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.config import load, validate
from kaizen_tasks.config.json_schema import schema_text
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.changelog.add import add_entry, empty_changelog
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.init import notes, render_toml, tasks_file, version_endpoint
from kaizen_tasks.domain.init.ci.github import cache_lines
from kaizen_tasks.domain.init.ci.inputs import locate_app
from kaizen_tasks.domain.init.ci.installation import DEPENDENCIES_FILE, SCHEMA_FILE, schema_reference
from kaizen_tasks.domain.init.detect import previous_releases
from kaizen_tasks.domain.init.file_change import FileChange
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.domain.init.proposal import DEFAULT_VERSION_ARG
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.init import ci_pipeline
from kaizen_tasks.flows.release.files import VERSION_FILE, find_changelog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kaizen_tasks.domain.init.ci.installation import Installation
    from kaizen_tasks.domain.init.ci.systems import CiRequest
    from kaizen_tasks.domain.init.proposal import Proposal, ScanResult
    from kaizen_tasks.domain.init.repo_scan import RepoScan
    from kaizen_tasks.ports.scm import ReleaseFiles

FIRST_ENTRY = "A changelog, and releases with a version of their own."
"""The entry of a new changelog: a release needs one."""

GENERATED_FILES = (DEPENDENCIES_FILE, SCHEMA_FILE)
SETUP_COMMENT = b"# Set up once by hand"
"""Stands at the top of a file of a pipeline for which a person sets something up."""

GITIGNORE_FILE = ".gitignore"
PYCACHE_PATTERN = "__pycache__/"


@frozen(kw_only=True)
class InitPlan:
    """What `kaizen init` is about to do.

    Attributes:
        settings: the app's configuration afterwards.
        config_name: name of the configuration file.
        changes: files to write.
        existing_files: files that exist and are left alone.
        ignored_files: files among those to write or edit that git ignores.
        notes: what only a person can do or judge.
        edited_files: files that a person edits before the next commands.
        lacks_version: whether the app will not take its version or not answer with it.
        setup_files: files of the pipeline that say what a person sets up for it.
    """

    settings: Settings
    config_name: str
    changes: tuple[FileChange, ...]
    existing_files: tuple[str, ...]
    ignored_files: tuple[str, ...]
    notes: tuple[Note, ...]
    edited_files: tuple[str, ...]
    lacks_version: bool
    setup_files: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        """Whether the configuration is written only now."""
        return any(change.path == self.config_name for change in self.changes)


def plan_init(
    root: Path,
    scan: ScanResult,
    proposal: Proposal,
    documents: ReleaseFiles,
    *,
    installation: Installation,
    ci: CiRequest | None = None,
    adds_endpoint: bool = False,
) -> InitPlan:
    """Return the plan: which files to write, and what to tell the user.

    Args:
        root: the app's folder.
        scan: what was found in the repository and the account.
        proposal: the configuration for an app without one.
        documents: reads the files in the app's folder and, for CI, at the top of its repository.
        installation: the copy of these tasks that runs.
        ci: which CI pipeline to write; None for none.
        adds_endpoint: whether to add `GET /version` and the version argument, where they are missing.

    Raises:
        ConfigurationError: the app has a configuration already, which is invalid.
        Refused: the pipeline would not know from where to install these tasks.
    """
    repo_scan = scan.repo_scan
    config_file = load.read_config_file(root)
    caches_layers = ci and ci.system == "github" and proposal.build.dockerfile
    build_lines = cache_lines(locate_app(repo_scan.subfolder, proposal.tag)) if caches_layers else ()
    new_config = (
        "" if config_file else render_toml.render_config(proposal, build_lines, schema=schema_reference(installation))
    )
    final_config = config_file or load.ConfigFile(root, load.CONFIG_FILE_NAME, tomllib.loads(new_config))
    settings = validate.build_settings(final_config, final_config.table)
    changelog_file = find_changelog(settings.changelog.file, documents, is_configured=config_file is not None)
    tasks_path = _tasks_path(documents)
    files = dict(_required_files(repo_scan, new_config, tasks_path, changelog_file, settings))
    if new_config and not installation.address:
        files[SCHEMA_FILE] = schema_text().encode()
    ci_files = ci_pipeline.ci_files(settings, ci, repo_scan, installation, changelog_file) if ci else {}
    files |= ci_files
    existing_files = tuple(name for name in files if documents.read(name) is not None)
    if ci:
        ci_pipeline.require_source(ci, installation, {*files} - {*existing_files})
    new_files = (
        FileChange(path=name, after=files[name], is_generated=name.endswith(GENERATED_FILES))
        for name in files
        if name not in existing_files
    )
    source_changes = tuple(_version_changes(repo_scan, proposal, documents)) if adds_endpoint else ()
    proposal_notes = () if config_file else _notes(scan, proposal)
    changed_paths = frozenset(each.path for each in source_changes)
    is_asked = adds_endpoint or not config_file
    version_notes = (
        tuple(notes.version_path_notes(repo_scan, proposal, changed_paths, adds_endpoint=adds_endpoint))
        if is_asked
        else ()
    )
    tasks_notes = tuple(notes.tasks_file_notes(tasks_path, documents.read(tasks_path)))
    edited_files = (tasks_path,) if tasks_notes else ()
    ci_notes = ci_pipeline.ci_notes(settings, ci, repo_scan, installation, ci_files, existing_files) if ci else ()
    return InitPlan(
        settings=settings,
        config_name=final_config.name,
        changes=(*new_files, *source_changes, *_gitignore_changes(repo_scan, documents)),
        existing_files=existing_files,
        ignored_files=tuple(
            name
            for name in files
            if name in repo_scan.ignored_names and (name not in existing_files or name in edited_files)
        ),
        notes=(
            *tasks_notes,
            *notes.shared_tag_notes(repo_scan, settings.release.tag),
            *version_notes,
            *(() if config_file else _changelog_notes(repo_scan, settings, changelog_file, documents)),
            *proposal_notes,
            *ci_notes,
        ),
        edited_files=edited_files,
        lacks_version=bool(version_notes),
        setup_files=tuple(
            path for path, text in ci_files.items() if path not in existing_files and SETUP_COMMENT in text
        ),
    )


def _tasks_path(documents: ReleaseFiles) -> str:
    """Return the path of the app's tasks: of those that exist, or of a new file."""
    return next(
        (path for path in tasks_file.TASKS_PATHS if documents.read(path) is not None), tasks_file.TASKS_FILE_NAME
    )


def _required_files(
    repo_scan: RepoScan, new_config: str, tasks_path: str, changelog_file: str, settings: Settings
) -> Iterator[tuple[str, bytes]]:
    """Yield every file that an app needs, with its initial content."""
    if new_config:
        yield load.CONFIG_FILE_NAME, new_config.encode()
    yield tasks_path, tasks_file.NEW_TASKS_FILE.encode()
    tags, tag, folder = repo_scan.repository.tags, settings.release.tag, settings.build.context
    version = previous_releases.initial_version(tags, repo_scan.package_texts, tag, folder)
    yield VERSION_FILE, f"{version}\n".encode()
    yield changelog_file, add_entry(empty_changelog(), kind="added", text=FIRST_ENTRY)


def _version_changes(repo_scan: RepoScan, proposal: Proposal, documents: ReleaseFiles) -> Iterator[FileChange]:
    """Yield the changes by which the app takes its version and answers with it."""
    path, parsed = proposal.build.dockerfile, proposal.parsed_dockerfile
    if path and not parsed.version_arg:
        before = documents.read(path) or b""
        text = before.decode("utf-8", "replace")
        after = version_endpoint.add_version_argument(text, DEFAULT_VERSION_ARG, parsed.version_line)
        yield FileChange(path=path, before=before, after=after.encode())
    added = version_endpoint.add_version_endpoint(repo_scan.app_sources, parsed.version_variable or "APP_VERSION")
    if added and not repo_scan.version_endpoint_files:
        source, text = added
        yield FileChange(path=source, before=documents.read(source), after=text.encode())


def _changelog_notes(repo_scan: RepoScan, settings: Settings, path: str, documents: ReleaseFiles) -> Iterator[Note]:
    content, version = documents.read(path), documents.read(VERSION_FILE)
    if content is not None and not settings.changelog.fragments:
        tags, tag, folder = repo_scan.repository.tags, settings.release.tag, settings.build.context
        initial = previous_releases.initial_version(tags, repo_scan.package_texts, tag, folder)
        text = version.decode("utf-8", "replace").strip() if version is not None else initial
        try:
            changelog = parse_changelog(content, settings.changelog.format)
            yield from tuple(notes.changelog_notes(changelog, path, text, tags, tag))
        except Refused as error:
            yield Note(f"{path}: {error.message}; {error.hint}" if error.hint else f"{path}: {error.message}")


def _gitignore_changes(repo_scan: RepoScan, documents: ReleaseFiles) -> Iterator[FileChange]:
    """Yield the change that makes git ignore the bytecode next to `tasks.py`, unless it does already."""
    if PYCACHE_PATTERN not in repo_scan.ignored_names:
        content = documents.read(GITIGNORE_FILE)
        before = content or b""
        separator = b"\n" if before and not before.endswith(b"\n") else b""
        after = before + separator + f"{PYCACHE_PATTERN}\n".encode()
        yield FileChange(path=GITIGNORE_FILE, before=content, after=after)


def _notes(scan: ScanResult, proposal: Proposal) -> Iterator[Note]:
    yield from notes.repository_notes(scan.repo_scan, proposal)
    yield from notes.image_notes(proposal)
    yield from notes.version_notes(scan.repo_scan, proposal)
    yield from notes.conflict_notes(proposal)
    yield from notes.shared_repository_notes(proposal)
    yield from notes.ignored_notes(proposal)
    yield from notes.address_notes(proposal)
    yield from notes.guess_notes(proposal, scan.account_scan)


def apply_plan(init_plan: InitPlan, documents: ReleaseFiles) -> None:
    """Write the planned files.

    Raises:
        Refused: a file cannot be written, or has been changed meanwhile.
    """
    for change in init_plan.changes:
        if documents.read(change.path) != change.before:
            message, hint = f"{change.path} was changed meanwhile", "run kaizen init again"
            raise Refused(message, state="it is left alone", hint=hint)
        documents.write(change.path, change.after)
