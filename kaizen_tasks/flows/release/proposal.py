"""The branch with the next release, for a pull request: what it proposes, and whether somebody has edited that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen
from semver import Version

from kaizen_tasks.domain import proposal
from kaizen_tasks.domain import version as versions
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, UsageError
from kaizen_tasks.flows.release import claims, files, last_release, messages, optional_files, pending, undated_sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools

MAX_MERGES = 50
"""Merges on the branch that are followed to what these tasks have proposed."""


@frozen(kw_only=True)
class ProposalBranch:
    """The branch on the remote.

    Attributes:
        name: its name.
        tip: the commit at its end; empty when there is no such branch.
        version: the version that it proposes; None if it cannot be told, or if there is no branch.
        edited_in: the commit by which somebody has changed what was proposed; empty if nobody has.
        has_head: whether it has every commit of the branch that is released from.
    """

    name: str
    tip: str = ""
    version: Version | None = None
    edited_in: str = ""
    has_head: bool = False


def has_nothing_to_propose(tools: Tools) -> bool:
    """Return whether VERSION is that of the last release, and nothing is noted since."""
    if files.has_unreleased_entries(optional_files.read_noted_changelog(tools)):
        return False
    version = files.read_version(tools)
    is_released = version == last_release.last_released_version(tools)
    return is_released and undated_sections.find_waiting_release(version, tools) is None


def require_pushed(tools: Tools) -> None:
    """Check that HEAD is on the remote: a proposal would bring its commits as well. Other differences are preflight's.

    Raises:
        Refused: there is no remote, or its branch lacks commits of this clone.
        Unreachable: the remote does not answer.
    """
    head, target = tools.scm.head(), tools.scm.push_target()
    remote = tools.scm.cached_remote_refs(target.branch)
    if remote is None:
        raise Refused("propose: there is no remote", state=NOTHING_CHANGED, hint="git remote add origin URL")
    tip = remote.branch_commit
    is_behind = bool(tools.scm.resolve(tip)) and tools.scm.is_ancestor(tip, head.commit)
    if head.branch and tip != head.commit and (not tip or is_behind):
        message = f"propose: {head.branch} has commits that {target} lacks"
        refspec = head.branch if target.branch == head.branch else f"{head.branch}:{target.branch}"
        raise Refused(message, state=NOTHING_CHANGED, hint=f"git push {target.remote} {refspec}")


def free_version(version: Version, tools: Tools) -> Version:
    """Return a version or, if its number is claimed, abandoned or tagged on the remote, the next one that is free.

    One that HEAD has already is kept: it is merged, and perhaps being released.
    """
    if version == files.read_version(tools):
        return version
    taken_versions = claims.taken_versions(tools)
    while version in taken_versions:
        version = versions.bump_version(version, "rc" if version.prerelease else "patch")
    return version


def branch_name(tools: Tools) -> str:
    """Return the name of the branch that proposes the next release of the branch that is checked out."""
    rules = tools.settings.release
    return proposal.proposal_branch(tools.scm.head().branch, main_branch=rules.branches[0], tag=rules.tag)


def read_branch(tools: Tools) -> ProposalBranch:
    """Return the branch as it is on the remote, whose commits are fetched; one that is merged counts as none.

    Raises:
        Unreachable: the remote does not answer.
    """
    name, head = branch_name(tools), tools.scm.head().commit
    remote = tools.scm.cached_remote_refs(name)
    tip = remote.branch_commit if remote else ""
    if not tip:
        return ProposalBranch(name=name)
    if not tools.scm.resolve(tip):
        tools.scm.fetch_branch(name)
    if tools.scm.is_ancestor(tip, head):
        return ProposalBranch(name=name, tip=tip)
    version, has_head = _version_at(tip, tools), tools.scm.is_ancestor(head, tip)
    edited_in = _find_edit(tip, head, version, tools)
    if edited_in and _is_merged(tip, head, version, tools):
        return ProposalBranch(name=name, tip=tip)
    return ProposalBranch(name=name, tip=tip, version=version, edited_in=edited_in, has_head=has_head)


def proposes_release(branch: ProposalBranch, tools: Tools) -> bool:
    """Return whether a branch has a version that is not released yet, unlike one that others use for something else."""
    last_version = last_release.last_released_version(tools)
    if last_version is None:
        return bool(_section(branch.tip, branch.version, tools))
    return branch.version is not None and branch.version > last_version


def is_current(branch: ProposalBranch, tools: Tools) -> bool:
    """Return whether a branch proposes what these tasks would propose now."""
    return branch.has_head and not tools.scm.files_differing_from(branch.tip, optional_files.release_contents(tools))


def write_commit(release: Release, tools: Tools) -> str:
    """Write the commit to propose, HEAD with the files of the release, and return its hash.

    Its message has a digest of the files as git has stored them, by which an edit is recognised later. Hooks may have
    changed them, in which case the commit is written once more.

    Raises:
        Refused: a hook rejected the commit, or git has no author or committer.
    """
    contents = optional_files.release_contents(tools)
    changed_files = tools.scm.files_differing_from(tools.scm.head().commit, contents)
    commit = _write({name: contents[name] for name in changed_files}, release, tools)
    stored_contents = _changes(commit, tools)
    if proposal.digest(stored_contents) == tools.scm.commit_trailer(commit, proposal.TRAILER):
        return commit
    return _write(stored_contents, release, tools)


def _write(contents: Mapping[str, bytes | None], release: Release, tools: Tools) -> str:
    rules, trailers = tools.settings.release, [f"{proposal.TRAILER}: {proposal.digest(contents)}"]
    if rules.signoff:
        trailers.append(f"Signed-off-by: {tools.scm.committer()}")
    message = messages.render_message(rules.message, release, tools, trailers=tuple(trailers))
    return tools.scm.write_commit(parent=tools.scm.head().commit, files=contents, message=message)


def describe(release: Release, branch: ProposalBranch, body: str, tools: Tools) -> tuple[str, str]:
    """Return title and description of the pull request.

    Args:
        release: what is proposed.
        branch: the branch on the remote, whose changelog may have been edited.
        body: the description so far, of which what others have written stays.
        tools: the ports.
    """
    version, settings = branch.version or release.version, tools.settings
    task = f"inv release-{settings.first_stage.name}" if settings.pipeline else "inv cut --push"
    instruction = (
        f"After the merge, `{task}` releases {versions.image_tag(version)} from the merged commit. "
        f"To correct the notes, edit {files.changelog_file(tools)} on this branch."
    )
    base_url = files.links_base(branch.name, tools)
    notes = files.notes_at(branch.tip, version, tools, base_url=base_url) if branch.tip else ""
    return f"Release {settings.git_tag(version)}", proposal.render_body(body, notes=notes, instruction=instruction)


def _version_at(commit: str, tools: Tools) -> Version | None:
    try:
        return versions.parse_version_file(tools.scm.read_at(commit, files.VERSION_FILE))
    except UsageError:
        return None


def _is_merged(tip: str, head: str, version: Version | None, tools: Tools) -> bool:
    """Return whether HEAD has all that a branch changes: a squashed pull request brings it without the commits.

    What is compared is HEAD or, if main has moved on since, the commit that brought the version.
    """
    released = pending.find_release_commit(version, tools) if version else head
    if version and _section(tip, version, tools) != _section(released, version, tools):
        return False
    base = tools.scm.merge_base(tip, head)
    names = tools.scm.changed_files(base, tip) if base else ()
    return bool(base) and all(
        any(_has_change(name, base, tip, commit, tools) for commit in (released, head)) for name in names
    )


def _has_change(name: str, base: str, tip: str, commit: str, tools: Tools) -> bool:
    """Return whether a commit has what a branch changes in a file; others may have noted more in a release file."""
    before, after, merged = (tools.scm.read_at(place, name) for place in (base, tip, commit))
    if after == merged or after is None or merged is None or not files.is_release_file(name, tools):
        return after == merged
    old_lines, new_lines, merged_lines = (set((text or b"").splitlines()) for text in (before, after, merged))
    return new_lines - old_lines <= merged_lines and not (old_lines - new_lines) & merged_lines


def _find_edit(tip: str, head: str, version: Version | None, tools: Tools) -> str:
    """Return the commit by which somebody has changed what was proposed; empty if nobody has.

    A merge of the branch that is released from, as a button of the server makes, is no edit.
    """
    commit = tip
    for _ in range(MAX_MERGES):
        if digest := tools.scm.commit_trailer(commit, proposal.TRAILER):
            is_own = _is_own(commit, digest, tools)
            is_kept = commit == tip or _section(commit, version, tools) == _section(tip, version, tools)
            return "" if is_own and is_kept else tip
        merged_commit = tools.scm.resolve(f"{commit}^2")
        if not merged_commit or not tools.scm.is_ancestor(merged_commit, head):
            return commit
        commit = tools.scm.resolve(f"{commit}^")
    return tip


def _is_own(commit: str, digest: str, tools: Tools) -> bool:
    """Return whether a commit is as these tasks have written it, and was not amended."""
    return digest == proposal.digest(_changes(commit, tools))


def _changes(commit: str, tools: Tools) -> dict[str, bytes | None]:
    """Return the contents of the files that a commit changes, by name."""
    names = tools.scm.changed_files(tools.scm.resolve(f"{commit}^"), commit)
    return {name: tools.scm.read_at(commit, name) for name in names}


def _section(commit: str, version: Version | None, tools: Tools) -> str:
    return files.notes_at(commit, version, tools) if version is not None else ""
