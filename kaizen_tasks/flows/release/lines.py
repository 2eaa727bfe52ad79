"""The line of HEAD: its releases, those of other lines, and the numbers that it may take.

Loaded only where a line matters: without a tag, when a later release than that of HEAD exists, or with `[lines]`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog.lint.problem import LineHistory
from kaizen_tasks.domain.line import Line, accepts, conflicting_release, line_of_branch, line_of_version
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import files, optional_files, tags
from kaizen_tasks.flows.release.undated_sections import find_undated_release

if TYPE_CHECKING:
    from collections.abc import Collection

    from semver import Version

    from kaizen_tasks.domain.changelog.bump_inference import ChangePart
    from kaizen_tasks.ports.tools import Tools


def released_here(tools: Tools) -> frozenset[Version]:
    """Return the versions that are tagged on HEAD or an ancestor, and the one that a squashed pull request brought."""
    head = tools.scm.head().commit
    merged_versions = frozenset(tags.versions_from_tags(tools, tools.scm.tags(merged_into=head)))
    content = tools.scm.read_at(head, files.VERSION_FILE)
    version = versions.parse_version_file(content) if content is not None else None
    is_squashed = version in tags.tagged_versions(tools) and version not in merged_versions
    if version and is_squashed and files.has_section(version, tools):
        return merged_versions | {version}
    return merged_versions


def releases_elsewhere(tools: Tools) -> frozenset[Version]:
    """Return the versions that are tagged in this clone, but not on HEAD or an ancestor: those of other lines."""
    return frozenset(tags.tagged_versions(tools)) - released_here(tools)


def last_released_version(tools: Tools) -> Version | None:
    """Return the highest version that is released on the line of HEAD; None when there is none."""
    own_versions = released_here(tools)
    return max(own_versions) if own_versions else last_heading(tools, excluding=releases_elsewhere(tools))


def last_heading(tools: Tools, *, excluding: Collection[Version] = ()) -> Version | None:
    """Return the highest version of the changelog if it has unreleased entries; None if not."""
    if not files.has_changelog(tools):
        return None
    changelog, undated = optional_files.read_noted_changelog(tools), find_undated_release(None, tools)
    if undated is not None and (undated.title.date_text or any(section.date for section in changelog.releases)):
        excluding = {*excluding, *([undated.version] if undated.version else [])}
    return files.latest_heading(changelog, excluding=excluding) if files.has_unreleased_entries(changelog) else None


def history(tools: Tools) -> LineHistory:
    """Return what the changelog of the line of HEAD is checked against."""
    return LineHistory(elsewhere=releases_elsewhere(tools), find_predecessor=partial(_predecessor, tools=tools))


def _predecessor(version: Version, tools: Tools) -> Version | None:
    """Return the release before another one on its line: the highest one that the other one's tag descends from."""
    commit = tags.tag_commit(version, tools)
    ancestors = tags.versions_from_tags(tools, tools.scm.tags(merged_into=commit)) if commit else ()
    return max((ancestor for ancestor in ancestors if ancestor < version), default=None)


def current_line(tools: Tools) -> Line | None:
    """Return the configured line of the branch that is checked out, or None."""
    return line_of_branch(tools.settings.lines, tools.scm.head().branch)


def require_own_number(version: Version, last: Version | None, tools: Tools, *, hotfix_for: str = "") -> None:
    """Require a number that this line may take.

    Args:
        version: the number that the release would get.
        last: the last release of the line.
        tools: the ports.
        hotfix_for: name of the environment of a hotfix, which may come from another branch than that of its line.

    Raises:
        Refused: the number is one of another line.
    """
    own_line = current_line(tools)
    if own_line is not None and version not in own_line:
        raise _refusal(f"{version} is not a version of the line {own_line.name}", last, tools)
    if hotfix_for and not accepts(tools.settings.lines, hotfix_for, version):
        raise _refusal(f"{version} is not of the line of {hotfix_for}", last, tools)
    line = line_of_version(tools.settings.lines, version)
    if line is not None and line != own_line and not hotfix_for:
        raise _refusal(f"{version} is of the line {line.name}, which is released from {line.branch}", last, tools)
    tagged_versions = tags.tagged_versions(tools)
    if version in tagged_versions:
        raise _refusal(f"{version} is taken: the tag {tags.tag_name(version, tools)} exists", last, tools)
    final = version.finalize_version()
    conflict = conflicting_release(version, last, tagged_versions) if own_line is None else None
    conflict = conflict or (final if final in tagged_versions else None)
    if conflict is not None:
        tag, branch = tags.tag_name(conflict, tools), tools.scm.head().branch or "HEAD"
        raise _refusal(f"{version}: {tag} is a release of another line, which {branch} lacks", last, tools, merge=tag)


def sufficient_part_hint(part: ChangePart, version: Version, last: Version | None, tools: Tools) -> str:
    """Return what to type in place of a part that is too low; a part whose number this line may not take is left out.

    Args:
        part: the part that the notes require.
        version: the number that the release would get by it.
        last: the last release of the line.
        tools: the ports.
    """
    try:
        require_own_number(version, last, tools)
    except Refused:
        return "--force to override"
    return f"--part {part}, or --force to override"


def _refusal(message: str, last: Version | None, tools: Tools, *, merge: str = "") -> Refused:
    example = f", such as --to {_next_patch(last, tools)}" if last else ""
    alternative = f"; or bring that line here first: git merge {merge}" if merge else ""
    return Refused(message, state=NOTHING_CHANGED, hint=f"choose a number of this line{example}{alternative}")


def _next_patch(last: Version, tools: Tools) -> Version:
    """Return the first patch release after the last one that no tag of this clone has."""
    version, tagged_versions = versions.bump_version(last, "patch"), frozenset(tags.tagged_versions(tools))
    while version in tagged_versions:
        version = version.bump_patch()
    return version
