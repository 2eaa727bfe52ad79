"""Finds the release that an earlier run started, so that running the command again finishes it.

One rule for every step and task: a release whose image is in no repository yet follows the branch; one whose image is
in a repository is finished as it is, in whichever clone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER, Release
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import claims, files, optional_files, tags
from kaizen_tasks.flows.release.undated_sections import find_waiting_release

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools


def find_pending_release(
    tools: Tools, *, environment: Environment | None = None, ask_remote: bool = False
) -> Release | None:
    """Return the release that was started, here or in another clone, and must be finished; None when there is none.

    A release that was started must be finished if HEAD is its commit or the parent of that, or if its image was pushed.

    Args:
        tools: the ports.
        environment: where it is released to; None for the first stage, or for a release that is not deployed.
        ask_remote: whether releases that other clones have started count.
    """
    releases = started_releases(tools, environment=environment, ask_remote=ask_remote)
    for version in sorted(releases, reverse=True):
        release = Release(version=version, commit=releases[version])
        if _is_of_branch(release.commit, tools) or is_published(
            release, tools, environment=environment, ask_remote=ask_remote
        ):
            return release
    return None


def started_releases(tools: Tools, *, environment: Environment | None, ask_remote: bool) -> dict[Version, str]:
    """Return the commits of the releases that were started, by version; see `find_pending_release`.

    One that somebody else has tagged meanwhile counts only while HEAD is its commit or the parent of that, and one of
    another line does not count.
    """
    target = environment or _first_environment(tools)
    pairs = (
        (versions.parse_version(name, origin="pending release"), commit)
        for name, commit in tools.scm.pending_releases().items()
    )
    local = {
        version: commit
        for version, commit in pairs
        if claims.is_of_line(commit, tools)
        and (_is_of_branch(commit, tools) or not claims.is_tagged(version, tools, ask_remote=ask_remote))
    }
    if ask_remote:
        local = {
            version: commit
            for version, commit in local.items()
            if not claims.is_claimed_elsewhere(version, commit, tools)
            and (target is None or tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER) in {"", target.name})
        }
    remote = claims.open_claims(target, tools) if ask_remote and target is not None else {}
    return {**local, **remote}


def is_published(release: Release, tools: Tools, *, environment: Environment | None, ask_remote: bool) -> bool:
    """Return whether a repository has the image of a started release, built from its commit."""
    target = environment or _first_environment(tools)
    if target is None:
        return False
    remote = claims.read_remote(tools) if ask_remote else None
    if remote is not None and tools.settings.git_tag(release.version) not in remote.claims:
        return claims.has_image(target, release.name, release.commit, tools)  # others get it after it is claimed
    return bool(claims.environments_with(release.name, release.commit, tools, first=target))


def is_taken(version: Version, tools: Tools, *, environment: Environment | None) -> bool:
    """Return whether a version is tagged, claimed or abandoned; a started release without an image does not count.

    Such a release follows the branch, and may keep its version.
    """
    if version not in claims.taken_versions(tools):
        return False
    commit = started_releases(tools, environment=environment, ask_remote=True).get(version)
    if commit is None:
        return True
    return is_published(Release(version=version, commit=commit), tools, environment=environment, ask_remote=True)


def _first_environment(tools: Tools) -> Environment | None:
    return tools.settings.first_stage.environments[0] if tools.settings.pipeline else None


def _is_of_branch(commit: str, tools: Tools) -> bool:
    """Return whether HEAD is a release commit, or the commit from which it was made."""
    return tools.scm.head().commit in {commit, tools.scm.resolve(f"{commit}^")}


def has_failed(release: Release, tools: Tools, *, environment: Environment | None) -> bool:
    """Return whether a started release failed or was rolled back where it is released to, and is not deployed since.

    Args:
        release: a release that was started.
        tools: the ports.
        environment: where it is released to; None for the first stage.
    """
    if not tools.settings.pipeline:
        return False
    from kaizen_tasks.domain.ledger import find_standing_failure
    from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT

    stage = tools.settings.first_stage.environments
    environments = stage if environment is None or environment in stage else (environment,)
    histories = (tools.ledger.entries(member.name, limit=HISTORY_LIMIT) for member in environments)
    return any(find_standing_failure(history, release.name) for history in histories)


def later_commits(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return the commits of HEAD that a started release lacks, newest first, as short hashes with subjects."""
    head = tools.scm.head().commit
    return () if _is_of_branch(release.commit, tools) else tools.scm.commits_between(release.commit, head)


def has_later_notes(release: Release, tools: Tools) -> bool:
    """Return whether something is noted that a started release has not in its section."""
    if find_waiting_release(release.version, tools) is not None:
        return True
    unreleased = optional_files.read_noted_changelog(tools).unreleased
    changelog = files.changelog_at(release.commit, tools)
    section = changelog.find_section(release.version) if changelog else None
    released_texts = {entry.text for entry in section.all_entries} if section else set()
    return unreleased is not None and any(entry.text not in released_texts for entry in unreleased.all_entries)


def is_left_behind(version: Version, tools: Tools) -> bool:
    """Return whether the number of VERSION was given up, or its release has failed and something is noted since."""
    if claims.is_given_up(version, tools):
        return True
    release = find_pending_release(tools, ask_remote=True) if tools.settings.pipeline else None
    if release is None or release.version != version or not later_commits(release, tools):
        return False
    return has_failed(release, tools, environment=None) and has_later_notes(release, tools)


def find_completed_release(version: Version, last_version: Version | None, tools: Tools) -> Release | None:
    """Return the last release if VERSION still names it and nothing was committed or noted since, else None.

    HEAD is its commit or, as the tip of the remote's branch, brought its VERSION: by a merge, or by a pull request that
    was squashed. A merge that is only here may bring commits that nobody has released.
    """
    if version != last_version or files.has_unreleased_entries(optional_files.read_noted_changelog(tools)):
        return None
    if find_waiting_release(version, tools) is not None:
        return None
    commit, head = tags.tag_commit(version, tools), tools.scm.head().commit
    if commit and (commit == head or (_is_remote_tip(head, tools) and brings_version(head, version, tools))):
        return Release(version=version, commit=commit)
    return None


def find_release_before_head(version: Version, last_version: Version | None, tools: Tools) -> Release | None:
    """Return the last release if the branch has moved on, but VERSION still names it and nothing is noted since.

    Either the remote lacks its tag, so that `cut --push` must finish it, or HEAD is the tip of the remote's branch.
    Commits that are only here after a finished release do not count as released.
    """
    if version != last_version or files.has_unreleased_entries(optional_files.read_noted_changelog(tools)):
        return None
    commit = tags.tag_commit(version, tools)
    remote = claims.read_remote(tools) if commit and not find_waiting_release(version, tools) else None
    if remote is None:
        return None
    head, is_pushed = tools.scm.head().commit, remote.tags.get(tags.tag_name(version, tools)) == commit
    is_finished = is_pushed and remote.branch_commit == head
    is_unpushed = not is_pushed and not tools.settings.pipeline
    if is_finished or (is_unpushed and tools.scm.is_ancestor(commit, head)):
        return Release(version=version, commit=commit)
    return None


def _is_remote_tip(commit: str, tools: Tools) -> bool:
    """Return whether the remote's branch ends at a commit; False without a pipeline: such an app asks no remote."""
    remote = claims.read_remote(tools) if tools.settings.pipeline else None
    return remote is not None and remote.branch_commit == commit


def brings_version(commit: str, version: Version, tools: Tools) -> bool:
    """Return whether a commit has a VERSION that its first parent has not."""
    parent = tools.scm.resolve(f"{commit}^")
    contents = [tools.scm.read_at(name, files.VERSION_FILE) for name in (commit, parent) if name]
    return (
        contents[0] is not None and versions.parse_version_file(contents[0]) == version and contents[0] != contents[-1]
    )


def find_release_commit(version: Version, tools: Tools) -> str:
    """Return the commit that is a release, if HEAD has its VERSION and its section.

    It is the last commit of the branch that changed either, as the merge of a pull request with the release does,
    squashed or not: what was committed after it is not in the release. As long as it is not on the remote, and for the
    first release of all, whose version may have been there from the start, the release follows the branch.
    """
    head_commit = commit = tools.scm.head().commit
    if tags.last_tagged_version(tools) is None:
        return head_commit
    while True:
        commit = tools.scm.latest_change(commit, (files.VERSION_FILE, files.changelog_file(tools)))
        parent = tools.scm.resolve(f"{commit}^") if commit else ""
        if not parent or _release_text(parent, version, tools) != _release_text(head_commit, version, tools):
            break
        commit = parent
    return commit if commit and _is_on_remote(commit, tools) else head_commit


def _release_text(commit: str, version: Version, tools: Tools) -> tuple[bytes | None, str]:
    return tools.scm.read_at(commit, files.VERSION_FILE), files.notes_at(commit, version, tools)


def _is_on_remote(commit: str, tools: Tools) -> bool:
    """Return whether the remote's branch has a commit, as far as this clone knows its commits."""
    remote = claims.read_remote(tools) if commit != tools.scm.head().commit else None
    tip = remote.branch_commit if remote else ""
    return bool(tip) and bool(tools.scm.resolve(tip)) and tools.scm.is_ancestor(commit, tip)


def current_release(tools: Tools) -> Release:
    """Return the release that VERSION names; its commit is that of the tag, else of the pending release, else HEAD.

    Raises:
        Refused: VERSION is not committed.
    """
    version = files.read_version(tools)
    if commit := tags.tag_commit(version, tools):
        return Release(version=version, commit=commit)
    pending_release = find_pending_release(tools)
    if pending_release is not None and pending_release.version == version:
        return pending_release
    head = tools.scm.head().commit
    content = tools.scm.read_at(head, files.VERSION_FILE)
    if content is None or versions.parse_version_file(content) != version:
        message = f"VERSION is {version} here, but not in commit {head[:10]}"
        raise Refused(
            message, state=NOTHING_CHANGED, hint="make the release commit first: inv bump changelog.release commit"
        )
    return Release(version=version, commit=find_release_commit(version, tools))
