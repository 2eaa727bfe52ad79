"""VERSION and the changelog, in the working tree and in commits; the paths that a release may change."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote as quote_url

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog import DEFAULT_PATH
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.release import tags

if TYPE_CHECKING:
    from collections.abc import Collection

    from semver import Version

    from kaizen_tasks.domain.changelog.format import ChangelogFormat
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.ports.scm import ReleaseFiles
    from kaizen_tasks.ports.tools import Tools

VERSION_FILE = "VERSION"
FIX_COMMAND = "inv changelog.check --fix"
START_COMMAND = 'inv changelog.add --type added --text "What changed"'
"""Makes a changelog of one entry."""


def changelog_file(tools: Tools) -> str:
    """Return the path of the changelog: the configured one, or the one that is found.

    Raises:
        UsageError: there are several, it is spelled differently, or it is not in this repository.
    """
    return _locate_changelog(tools.settings.changelog.file, tools.release_files)  # type: ignore[arg-type]


@lru_cache(maxsize=4)  # every step asks
def _locate_changelog(configured_path: str, release_files: ReleaseFiles) -> str:
    path = find_changelog(configured_path, release_files)
    location = release_files.locate(path)
    if not location.repository and not location.path.startswith("/"):
        return location.path
    from kaizen_tasks.domain.changelog.location import outside_error

    raise outside_error(path, location.path, location.repository)


def find_changelog(configured_path: str, release_files: ReleaseFiles, *, is_configured: bool = True) -> str:
    """Return the path of the changelog; see `changelog_file`.

    Args:
        configured_path: its path in the configuration, or empty.
        release_files: the app's files.
        is_configured: whether there is a configuration.
    """
    names = release_files.names(configured_path.rpartition("/")[0])
    default_path = configured_path or DEFAULT_PATH
    if default_path.rpartition("/")[2] in names:
        return default_path
    from kaizen_tasks.domain.changelog import location

    if configured_path:
        return location.require_spelling(configured_path, names)
    paths = [path for folder in location.FOLDERS for path in location.candidates(folder, release_files.names(folder))]
    return location.choose_path(paths, names, is_configured=is_configured)


def release_paths(tools: Tools) -> tuple[str, ...]:
    """Return the paths that a release may change: files, and folders, which stand for all files in them."""
    paths = (VERSION_FILE, changelog_file(tools), *version_paths(tools), tools.settings.changelog.fragments)
    return tuple(filter(None, paths))


def version_paths(tools: Tools) -> tuple[str, ...]:
    """Return the paths of the files that repeat VERSION."""
    return tuple(dict.fromkeys(rule.path for rule in tools.settings.version_files))


def is_release_file(path: str, tools: Tools) -> bool:
    """Return whether a release may change a file."""
    return any(path == release_path or path.startswith(f"{release_path}/") for release_path in release_paths(tools))


def track_command(path: str) -> str:
    """Return the command that commits a file which git does not track yet."""
    return f"git add --force {pathspec(path)} && {commit_command(path, f'Add {path}')}"


def note_command(tools: Tools) -> str:
    """Return the command that notes a change and commits the note; its text is to be replaced."""
    path = pathspec(tools.settings.changelog.fragments or changelog_file(tools))
    add = 'inv changelog.add --type fixed --text "What changed"'
    return f"{add} && git add {path} && git commit --message 'Note what changed' -- {path}"


def commit_command(path: str, message: str) -> str:
    """Return the command that commits a file."""
    return f"git commit --message {quote(message)} -- {pathspec(path)}"


def pathspec(path: str) -> str:
    """Return a path as one word of a git command, in which nothing is a wildcard."""
    return quote(f":(literal){path}" if {*path} & {*"*?[\\"} or path.startswith(":") else path)


def quote(text: str) -> str:
    """Return a text as one word of a command."""
    import shlex

    return shlex.quote(text)


def read_version(tools: Tools) -> Version:
    """Return the version in VERSION.

    Raises:
        UsageError: VERSION is missing or malformed.
    """
    content = tools.release_files.read(VERSION_FILE)
    if content is None:
        require_not_deleted(VERSION_FILE, tools)
        version = tags.last_tagged_version(tools) or "0.1.0"
        hint = f"create it with the current version: echo {version} > {VERSION_FILE} && {track_command(VERSION_FILE)}"
        raise UsageError("there is no VERSION", hint=hint)
    return versions.parse_version_file(content)


def require_not_deleted(path: str, tools: Tools) -> None:
    """Require that a file which is missing here is not in the last commit, from which it can be restored.

    Raises:
        UsageError: it is.
    """
    head = tools.scm.resolve("HEAD")
    if head and tools.scm.read_at(head, path) is not None:
        raise UsageError(f"{path} is deleted and not committed", hint=f"git checkout HEAD -- {pathspec(path)}")


def read_changelog_bytes(tools: Tools) -> bytes:
    """Return the content of the changelog.

    Raises:
        UsageError: there is no changelog.
    """
    name = changelog_file(tools)
    content = tools.release_files.read(name)
    if content is None:
        require_not_deleted(name, tools)
        hint = f"start one with an entry: {START_COMMAND} && {track_command(name)}"
        raise UsageError(f"there is no {name}", hint=hint)
    return content


def read_changelog(tools: Tools) -> Changelog:
    """Return the changelog, parsed."""
    return parse_changelog(read_changelog_bytes(tools), tools)


def parse_changelog(content: bytes, tools: Tools) -> Changelog:
    """Return a changelog, parsed as the configuration says what its headings mean."""
    return parse_with_format(content, tools.settings.changelog.format)


def changelog_at(commit: str, tools: Tools) -> Changelog | None:
    """Return the changelog of a commit, parsed; None if the commit has none, or is not in this clone."""
    content = tools.scm.read_at(commit, changelog_file(tools))
    return None if content is None else parse_changelog(content, tools)


@lru_cache(maxsize=2)  # steps read it again and again: before the release, and with it
def parse_with_format(content: bytes, changelog_format: ChangelogFormat) -> Changelog:
    """Return a changelog, parsed in a format."""
    from kaizen_tasks.domain.changelog import model

    return model.parse_changelog(content, changelog_format)


def has_changelog(tools: Tools) -> bool:
    """Return whether there is a changelog."""
    return tools.release_files.read(changelog_file(tools)) is not None


def has_section(version: Version, tools: Tools) -> bool:
    """Return whether the changelog has a section of a version."""
    content = tools.release_files.read(changelog_file(tools))
    return content is not None and parse_changelog(content, tools).find_section(version) is not None


def links_base(ref: str, tools: Tools) -> str:
    """Return what the links in the changelog are relative to: the address of its folder at a tag or branch."""
    folder = posixpath.dirname(tools.scm.path_in_repository(changelog_file(tools)))
    return tools.forge.files_url(ref) + quote_url(f"{folder}/" if folder else "")


def notes_at(commit: str, version: Version, tools: Tools, *, base_url: str | None = None) -> str:
    """Return a version's section in the changelog of a commit, as Markdown; empty when there is none.

    Args:
        commit: the commit.
        version: the version.
        tools: the ports.
        base_url: what relative links are relative to; None leaves them as they are.
    """
    from kaizen_tasks.domain.changelog.render.sections import to_markdown

    changelog = changelog_at(commit, tools)
    section = changelog.find_section(version) if changelog else None
    return to_markdown(changelog, (section,), base_url=base_url) if changelog and section else ""


def latest_heading(changelog: Changelog, *, excluding: Collection[Version] = ()) -> Version | None:
    """Return the highest version that has a heading; None when there is none."""
    headings = (section.version for section in changelog.releases if section.version is not None)
    return max((version for version in headings if version not in excluding), default=None)


def has_unreleased_entries(changelog: Changelog) -> bool:
    """Return whether anything is noted under `[Unreleased]`, with or without a type of change.

    Raises:
        Refused: there is no `[Unreleased]`, but a section that may be one in another language.
    """
    from kaizen_tasks.domain.changelog.model import find_unreleased

    unreleased = find_unreleased(changelog)
    return unreleased is not None and not unreleased.is_empty
