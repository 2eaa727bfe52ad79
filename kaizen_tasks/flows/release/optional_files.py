"""Fragments and files that repeat VERSION; their modules are loaded only for an app that has such files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.bump_inference import BumpDecision
    from kaizen_tasks.domain.changelog.entries import ChangelogEntry
    from kaizen_tasks.domain.changelog.fragments.fragment import Fragments
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section
    from kaizen_tasks.ports.tools import Tools


def outdated_version_paths(version: Version, tools: Tools) -> tuple[str, ...]:
    """Return the paths of the files that should repeat VERSION and do not have a version."""
    if not tools.settings.version_files:
        return ()
    from kaizen_tasks.flows.release import version_files

    return version_files.outdated_paths(version, tools)


def merged_version_files(tip: str, version: Version, tools: Tools) -> dict[str, bytes | None]:
    """Return the files of a branch that repeat VERSION, with a version; None for one that the branch has deleted."""
    if not tools.settings.version_files:
        return {}
    from kaizen_tasks.flows.release import version_files

    return version_files.contents_at(tip, version, tools)


def require_version_files(tools: Tools) -> None:
    """Refuse to go on if files that repeat VERSION disagree, or cannot be part of a release commit.

    Raises:
        Refused: with the first problem.
    """
    if tools.settings.version_files:
        from kaizen_tasks.flows.release import version_files

        version_files.require_no_problems(tools)


def fix_version_files(tools: Tools) -> tuple[str, ...]:
    """Write VERSION into the files that should repeat it, where that is safe, and return their paths."""
    if not tools.settings.version_files:
        return ()
    from kaizen_tasks.flows.release import version_files

    return version_files.fix(tools)


def release_contents(tools: Tools) -> dict[str, bytes | None]:
    """Return the content of every file that the release commit contains, by path; None for one that it deletes."""
    names = (files.VERSION_FILE, files.changelog_file(tools), *files.version_paths(tools))
    contents = {name: tools.release_files.read(name) for name in names}
    return {name: content for name, content in contents.items() if content is not None} | _deleted_fragments(tools)


def _deleted_fragments(tools: Tools) -> dict[str, None]:
    if not tools.settings.changelog.fragments:
        return {}
    from kaizen_tasks.flows.release import fragments

    return dict.fromkeys(fragments.deleted_paths(tools))


def read_noted_changelog(tools: Tools) -> Changelog:
    """Return the changelog with all that is noted for the next release: fragments are folded into `[Unreleased]`.

    Raises:
        Refused: a fragment has a problem.
    """
    if not tools.settings.changelog.fragments:
        return files.read_changelog(tools)
    from kaizen_tasks.flows.release import fragments

    return fragments.fold(tools).log


def place_of(entry: ChangelogEntry, tools: Tools) -> tuple[str, int]:
    """Return the file and the line where an entry of `read_noted_changelog` was noted."""
    path, line = "", entry.line
    if tools.settings.changelog.fragments:
        from kaizen_tasks.flows.release import fragments

        path, line = fragments.fold(tools).place(entry)
    return path or files.changelog_file(tools), line


def reason_of(decision: BumpDecision, tools: Tools) -> str:
    """Return one line: the part to bump, and the entry that requires it, with its place."""
    path, line = place_of(decision.entry, tools)
    return decision.reason_at(f"line {line}" if path == files.changelog_file(tools) else f"{path}:{line}")


def folded_fragments(section: Section, tools: Tools) -> tuple[str, ...]:
    """Return the fragments whose entries a section has, which are to be deleted with it."""
    if not tools.settings.changelog.fragments:
        return ()
    from kaizen_tasks.flows.release import fragments

    return fragments.folded_paths(section, tools)


def merged_fragments(base: str, tip: str, released: str, tools: Tools) -> dict[str, bytes | None]:
    """Return the fragments that a release has deleted as they are on a branch together with it."""
    if not tools.settings.changelog.fragments:
        return {}
    from kaizen_tasks.flows.release import fragments

    return fragments.merged_contents(base, tip, released, tools)


def uncommitted_fragments(tools: Tools) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with fragments that are not as in the last commit, each with a remedy."""
    if not tools.settings.changelog.fragments:
        return ()
    from kaizen_tasks.flows.release import fragments

    return tuple(fragments.uncommitted(tools))


def read_fragments(tools: Tools) -> Fragments:
    """Return the fragments, and the problems of their files."""
    from kaizen_tasks.flows.release import fragments

    return fragments.read_fragments(tools)
