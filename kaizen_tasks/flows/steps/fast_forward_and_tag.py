"""The step that ends a release in this clone: the branch and an annotated tag, both or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.flows.release import files, messages, preconditions
from kaizen_tasks.flows.steps.commit import stale_release_files

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.head import HeadState
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class FastForwardAndTag:
    """Move the branch onto the release commit and tag that commit, in one ref transaction: both or neither.

    Attributes:
        remark: a paragraph for the tag's message, or empty.
    """

    remark: str = ""
    label = StepLabel("commit+tag")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the tag and the branch."""
        name, head = tools.settings.git_tag(release.version), tools.scm.head()
        description = f"move {head.branch or 'HEAD'} to the release commit and tag it {name}"
        if not release.commit:
            return Act(description, release)
        local_commit = tools.scm.resolve(f"refs/tags/{name}")
        if local_commit not in {"", release.commit}:
            return preconditions.tag_conflict(name, local_commit, release, tools)
        if local_commit and _contains(head, release.commit, tools) and not _is_incomplete(release, head, tools):
            return Done(f"{name} is {release.commit[:10]}, on {head.branch or 'HEAD'}", release)
        return Act(description, release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Change both refs, then update the files of the release in index and working tree."""
        name, message = tools.settings.git_tag(release.version), messages.tag_message(release, self.remark, tools)
        tools.scm.fast_forward_and_tag(release.commit, paths=files.release_paths(tools), tag=name, message=message)
        return release


def _contains(head: HeadState, commit: str, tools: Tools) -> bool:
    return head.commit == commit or tools.scm.is_ancestor(commit, head.commit)


def _is_incomplete(release: Release, head: HeadState, tools: Tools) -> bool:
    """Return whether an earlier run was stopped after it changed the refs and before it updated the files."""
    return release.name in tools.scm.pending_releases() or bool(stale_release_files(release, head, tools))
