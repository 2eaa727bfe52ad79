"""Publishes a release: its tag, and its files on the branch, by a merge where the branch has moved on."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.git.remote_url import pull_request_url
from kaizen_tasks.errors import BranchProtected, KaizenError, PushFailed, Refused, UsageError
from kaizen_tasks.flows.release import files, optional_files

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs
    from kaizen_tasks.domain.release import Release, StepLabel
    from kaizen_tasks.ports.tools import Tools

SIDE_BRANCH_PREFIX = "kaizen/merge/"
"""Where a release is pushed for a pull request into a protected branch."""

PUSH_ATTEMPTS = 5
"""How often a release is merged anew when others push at the same time, as releases of other apps do."""


def branch_has(release: Release, remote: RemoteRefs, tools: Tools) -> bool:
    """Return whether the remote's branch has a release; True when HEAD is detached, because no branch needs it then.

    A pull request that was squashed brings another commit, with the same VERSION and changelog.
    """
    branch, tip = tools.scm.push_target().branch, remote.branch_commit
    if not branch:
        return True
    if not tip:
        return False
    if not tools.scm.resolve(tip):
        tools.scm.fetch_branch(branch)
    if tools.scm.is_ancestor(release.commit, tip):
        return True
    return tools.settings.git_tag(release.version) in remote.tags and _has_files_of(release, tip, tools)


def needs_merge(release: Release, remote: RemoteRefs, tools: Tools) -> bool:
    """Return whether neither the release commit nor HEAD descends from the remote's branch and has the release."""
    tip, head = remote.branch_commit, tools.scm.head().commit
    if not tip or tools.scm.is_ancestor(tip, release.commit):
        return False
    return not (tools.scm.is_ancestor(tip, head) and tools.scm.is_ancestor(release.commit, head))


def publish(label: StepLabel, release: Release, message: str, tools: Tools) -> PushFailed | None:
    """Push the tag and the branch, both or neither, and delete the claim; merge anew if somebody else was faster.

    Args:
        label: the step, for the progress of the push.
        release: what is published.
        message: the message of the tag.
        tools: the ports.

    Returns:
        The error if the tag was pushed, but the branch must get the release by hand; else None.

    Raises:
        PushFailed: nothing was pushed.
    """
    for _ in range(PUSH_ATTEMPTS - 1):
        try:
            return _push(label, release, message, tools)
        except PushFailed as error:
            if not error.branch_has_moved:
                raise
    return _push(label, release, message, tools)


def _push(label: StepLabel, release: Release, message: str, tools: Tools) -> PushFailed | None:
    branch, tag = tools.scm.push_target().branch, tools.settings.git_tag(release.version)
    remote = tools.scm.cached_remote_refs(branch)
    if remote is None:
        return None
    tools.scm.create_tag_object(tag, release.commit, message)
    push = partial(tools.scm.push, tag=tag, on_progress=partial(tools.reporter.progress, label))
    if branch_has(release, remote, tools):
        push(branch="")
        return None
    try:
        tip = _tip(release, remote, tools)
    except KaizenError as error:
        push(branch="")
        return _conflict_error(error, release, tools)
    try:
        push(branch=branch, tip=tip)
    except BranchProtected as error:
        return _offer_pull_request(error, release, tip, tools)
    _update_clone(release, tip, tools)
    return None


def _tip(release: Release, remote: RemoteRefs, tools: Tools) -> str:
    """Return the commit to push to the branch; write a merge commit where neither the release's nor HEAD will do.

    Raises:
        KaizenError: the branch and the release have conflicting changes.
    """
    if needs_merge(release, remote, tools):
        merged_files = _merge_files(release, remote.branch_commit, tools)
        message = f"Merge release {_tag(release, tools)}\n"
        return tools.scm.write_merge(
            onto=remote.branch_commit, commit=release.commit, files=merged_files, message=message
        )
    if remote.branch_commit and not tools.scm.is_ancestor(remote.branch_commit, release.commit):
        return tools.scm.head().commit
    return release.commit


def _merge_files(release: Release, tip: str, tools: Tools) -> dict[str, bytes | None]:
    """Return the files that the release changes, as they are on the branch together with the release."""
    from kaizen_tasks.domain.changelog.merge import merge_release

    base = tools.scm.merge_base(tip, release.commit)

    def contents(name: str) -> tuple[bytes, bytes, bytes]:
        old, current, released = (tools.scm.read_at(commit, name) for commit in (base, tip, release.commit))
        return old or b"", current or b"", released or b""

    old_version, current_version, released_version = contents(files.VERSION_FILE)
    is_ahead = current_version != old_version and versions.parse_version_file(current_version) > release.version
    changelog_file = files.changelog_file(tools)
    old_log, current_log, released_log = contents(changelog_file)
    changelog = merge_release(
        current_log,
        base=old_log,
        released=released_log,
        version=release.version,
        repository_url=tools.scm.web_url() or None,
        tag_pattern=tools.settings.tag_pattern,
        changelog_format=tools.settings.changelog.format,
    )
    version_file = current_version if is_ahead else released_version
    fragments = optional_files.merged_fragments(base, tip, release.commit, tools)
    repeated = optional_files.merged_version_files(tip, versions.parse_version_file(version_file), tools)
    return {files.VERSION_FILE: version_file, changelog_file: changelog, **fragments, **repeated}


def _has_files_of(release: Release, commit: str, tools: Tools) -> bool:
    """Return whether a commit has the release's section in the changelog, and its VERSION or a later one."""
    changelog = tools.scm.read_at(commit, files.changelog_file(tools)) or b""
    try:
        version = versions.parse_version_file(tools.scm.read_at(commit, files.VERSION_FILE))
        return (
            version >= release.version
            and files.parse_changelog(changelog, tools).find_section(release.version) is not None
        )
    except (UsageError, Refused):
        return False


def _conflict_error(error: KaizenError, release: Release, tools: Tools) -> PushFailed:
    target, tag = tools.scm.push_target(), _tag(release, tools)
    hint = (
        f"{target.pull_command} && git merge {tag}, resolve and commit, "
        f"git push {target.remote} HEAD:{target.branch}; then run the same command again"
    )
    message = f"{target.branch} has moved on, and {tag} cannot be merged into it: {error.message}"
    return PushFailed(message, state=f"{tag} is pushed; only {target.branch} lacks it", hint=hint)


def _offer_pull_request(error: BranchProtected, release: Release, tip: str, tools: Tools) -> PushFailed:
    """Push the tag, and the release to a branch for a pull request; return what a person has to do.

    Raises:
        BranchProtected: the remote accepts these no more than the branch.
    """
    branch, tag = tools.scm.push_target().branch, _tag(release, tools)
    side_branch = f"{SIDE_BRANCH_PREFIX}{tag}"
    side = tools.scm.remote_refs(side_branch)
    side_tip = side.branch_commit if side else ""
    if side_tip and not tools.scm.resolve(side_tip):
        tools.scm.fetch_branch(side_branch)
    is_offered = bool(side_tip) and tools.scm.is_ancestor(release.commit, side_tip)
    try:
        tools.scm.push(branch="" if is_offered else side_branch, tag=tag, tip="" if is_offered else tip)
    except BranchProtected:
        raise error from None  # a hook that declines everything; its first words name the branch that was asked for
    url = _pull_request_page(side_branch, branch, release, tools)
    page = f" ({url})" if url else ""
    parts = "image, service and tag" if tools.settings.pipeline else "its tag is pushed"
    return PushFailed(
        error.message,
        state=f"{release.name} is out: {parts}, and its claim is deleted; only {branch} lacks it",
        hint=f"merge {side_branch} into {branch} by pull request{page}, then run the same command again",
        output=error.output,
    )


def _pull_request_page(source: str, target: str, release: Release, tools: Tools) -> str:
    """Return the address of the open pull request or, where no token opens it, the one at which a person does."""
    if not tools.forge.access_problem():
        title, body = f"Merge release {_tag(release, tools)}", f"{_tag(release, tools)} is released; {target} lacks it."
        with suppress(KaizenError):
            request = tools.forge.open_pull_request(source=source, target=target, title=title, body=body)
            return request.url
    return pull_request_url(tools.scm.web_url(), source=source, target=target)


def _update_clone(release: Release, tip: str, tools: Tools) -> None:
    """Move this clone's branch to the pushed commit if that changes only files of the release, else say so."""
    tools.scm.invalidate_cache()
    head = tools.scm.head()
    if tools.scm.is_ancestor(tip, head.commit):
        return
    is_release_alone = all(files.is_release_file(name, tools) for name in tools.scm.changed_files(head.commit, tip))
    if tools.scm.is_ancestor(head.commit, tip) and is_release_alone:
        try:
            tools.scm.fast_forward(tip, paths=files.release_paths(tools))
        except Refused as error:
            tools.reporter.note(f"{head.branch} is not updated here: {error.message}")
    else:
        target = tools.scm.push_target()
        tools.reporter.note(f"{release.name} is on {target}: {target.pull_command} brings it here")


def _tag(release: Release, tools: Tools) -> str:
    return tools.settings.git_tag(release.version)
