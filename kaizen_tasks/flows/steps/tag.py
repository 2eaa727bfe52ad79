"""The steps that publish the release: an annotated tag, pushed atomically with the branch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.flows.release import messages, preconditions, publish

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class PushRelease:
    """Push the release commit to the branch, and its tag, before branch and tag change in this clone.

    The push is the point of no return: if somebody else was faster, git rejects it, and nothing has changed here.

    Attributes:
        remark: a paragraph for the tag's message, or empty.
    """

    remark: str = ""
    label = StepLabel("push")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the branch and the tag on the remote."""
        name, target = tools.settings.git_tag(release.version), tools.scm.push_target()
        if not release.commit:
            return Act(f"push the release commit and {name} to {target.remote}", release)
        remote = tools.scm.remote_refs(target.branch)
        if remote is None:
            return Refuse(reasons=("there is no remote to push to",), hint="git remote add origin URL")
        remote_commit, branch = remote.tags.get(name, ""), _branch_to_push(release, remote, tools)
        if remote_commit not in {"", release.commit}:
            reason = f"somebody else has just pushed the tag {name} to {target.remote}, on {remote_commit[:10]}"
            is_here = bool(tools.scm.resolve(f"refs/tags/{name}"))
            remedy = (
                preconditions.own_release_remedy(release.version, remote, tools) if is_here else target.pull_command
            )
            hint = f"{remedy}, then run the same command again"
            return Refuse(reasons=(reason,), hint=hint)
        if remote_commit and not branch:
            return Done(f"{name} on {release.commit[:10]} is on {target.remote}", release)
        later = _commit_to_push(release, tools)
        refs = f"{branch} and {name}" if branch else name
        if branch and later:
            refs = f"{name}, and {branch} up to {later[:10]},"
        return Act(f"push {release.commit[:10]} as {refs} to {target.remote}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Push branch and tag, both or neither."""
        _push_release(self.label, release, messages.tag_message(release, self.remark, tools), tools)
        return release


def _push_release(label: StepLabel, release: Release, message: str, tools: Tools) -> None:
    remote = tools.scm.cached_remote_refs(tools.scm.push_target().branch)
    if remote is None:
        return
    name, show_progress = tools.settings.git_tag(release.version), partial(tools.reporter.progress, label)
    tools.scm.create_tag_object(name, release.commit, message)
    branch = _branch_to_push(release, remote, tools)
    tip = _commit_to_push(release, tools) if branch else ""
    tools.scm.push(branch=branch, tag=name, tip=tip, on_progress=show_progress)


def _commit_to_push(release: Release, tools: Tools) -> str:
    """Return HEAD if it has moved on from the release, since the branch is pushed with all that it has; else ""."""
    head = tools.scm.head().commit
    return head if head != release.commit and tools.scm.is_ancestor(release.commit, head) else ""


@frozen(kw_only=True)
class Tag:
    """Tag the release commit and push tag and branch, both or neither.

    If the branch has moved on since the release began, the release is merged into it.

    Attributes:
        remark: a paragraph for the tag's message, or empty.
    """

    remark: str = ""
    label = StepLabel("tag")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the tag here and on the remote, and the branch on the remote."""
        name = tools.settings.git_tag(release.version)
        if not release.commit:
            return Act(f"tag the release commit {name} and push it", release)
        remote = tools.scm.remote_refs(tools.scm.push_target().branch)
        local_commit = tools.scm.resolve(f"refs/tags/{name}")
        conflicting_commits = {local_commit, remote.tags.get(name, "") if remote else ""} - {"", release.commit}
        if (
            remote
            and local_commit
            and remote.tags.get(name, local_commit) != local_commit
            and not tools.settings.pipeline
        ):
            reason = f"the tag {name} is {local_commit[:10]} here, and {remote.tags[name][:10]} on the remote"
            return Refuse(reasons=(reason,), hint=preconditions.own_release_remedy(release.version, remote, tools))
        if conflicting_commits:
            return preconditions.tag_conflict(name, conflicting_commits.pop(), release, tools)
        return self._decide_push(name, local_commit, remote, release, tools)

    def _decide_push(
        self, name: str, local_commit: str, remote: RemoteRefs | None, release: Release, tools: Tools
    ) -> Decision:
        tag_at_commit = f"{name} on {release.commit[:10]}"
        if remote is None:
            here = f"{tag_at_commit} is here; there is no remote to push it to"
            return Done(here, release) if local_commit else Act(f"tag {tag_at_commit}", release)
        target = tools.scm.push_target()
        has_branch = publish.branch_has(release, remote, tools)
        if local_commit and name in remote.tags and has_branch:
            return Done(f"{tag_at_commit} is here and on {target.remote}", release)
        if name in remote.tags and has_branch:
            return Act(f"fetch {tag_at_commit} from {target.remote}", release)
        if not (target.branch or name in remote.tags or tools.scm.is_on_remote(release.commit)):
            reason = f"HEAD is detached, and no branch of {target.remote} has {release.commit[:10]}"
            hint = f"git switch BRANCH && git merge --ff-only {release.commit[:10]}, and run the same command again"
            return Refuse(reasons=(reason,), hint=hint)
        branch = "" if has_branch else target.branch
        refs = f"{branch} and {name}" if branch else name
        merge = f"merge it into {branch}, " if branch and publish.needs_merge(release, remote, tools) else ""
        return Act(f"tag {tag_at_commit}, {merge}push {refs} to {target.remote}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Push the missing refs in one atomic push, then create the tag here.

        Raises:
            PushFailed: nothing was pushed, or only the tag, because a person has to bring the release into the branch.
        """
        name, message = tools.settings.git_tag(release.version), messages.tag_message(release, self.remark, tools)
        error = publish.publish(self.label, release, message, tools)
        tools.scm.create_tag(name, release.commit, message)
        if error is not None:
            raise error
        return release


def _branch_to_push(release: Release, remote: RemoteRefs, tools: Tools) -> str:
    """Return the branch to push to if it lacks the release commit; empty if not, or if HEAD is detached.

    If the remote branch is on a commit that is unknown here, return it too: the error of the push is the best one.
    """
    if tools.scm.resolve(remote.branch_commit) and tools.scm.is_ancestor(release.commit, remote.branch_commit):
        return ""
    return tools.scm.push_target().branch
