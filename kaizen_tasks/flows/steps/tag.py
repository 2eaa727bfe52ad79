"""The release becomes visible to everybody: an annotated tag, pushed with the branch in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.steps.version import stale_documents

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools
    from kaizen_tasks.ports.types import Head, Remote


@frozen(kw_only=True)
class Seal:
    """Move the branch onto the release commit and tag it, in one ref transaction: both or neither.

    Attributes:
        remark: more for the tag's message.
    """

    remark: str = ""
    label = Label("seal")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the tag and at the branch."""
        name, head = tools.settings.git_tag(release.version), tools.scm.head()
        what = f"move {head.branch or 'HEAD'} onto the release commit and tag it {name}"
        if not release.commit:
            return Act(what, release)
        here = tools.scm.commit_of(f"refs/tags/{name}")
        if here not in {"", release.commit}:
            return _taken(name, here, release)
        if here and _has(head, release.commit, tools) and not _unfinished(release, head, tools):
            return Done(f"{name} is {release.commit[:10]}, on {head.branch or 'HEAD'}", release)
        return Act(what, release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Change both refs; then bring VERSION and CHANGELOG.md along in index and working tree."""
        tools.scm.seal(
            release.commit,
            paths=files.RELEASED,
            tag=tools.settings.git_tag(release.version),
            message=_message(release, self.remark, tools),
        )
        return release


def _has(head: Head, commit: str, tools: Tools) -> bool:
    return head.commit == commit or tools.scm.is_ancestor(commit, head.commit)


def _unfinished(release: Release, head: Head, tools: Tools) -> bool:
    """Return whether an earlier run was stopped after the refs, before the files or its own notes."""
    return release.name in tools.scm.pending() or bool(stale_documents(release, head, tools))


def _message(release: Release, remark: str, tools: Tools) -> str:
    return "\n\n".join(filter(None, (f"{tools.settings.app} {release.name}", remark))) + "\n"


def _taken(name: str, commit: str, release: Release) -> Refuse:
    return Refuse(
        why=(f"the tag {name} exists on commit {commit[:10]}, and the release is {release.commit[:10]}",),
        hint="a version never moves; choose the next one: inv bump --part patch",
    )


@frozen(kw_only=True)
class Send:
    """Push the release commit to the branch, and its tag, before either is so named here.

    The push is the point of no return: when others were faster it is rejected, and nothing here has changed.

    Attributes:
        remark: more for the tag's message.
    """

    remark: str = ""
    label = Label("send")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the remote's branch and tag."""
        name, where = tools.settings.git_tag(release.version), tools.settings.release.remote
        if not release.commit:
            return Act(f"push the release commit and {name} to {where}", release)
        remote = tools.scm.remote(tools.scm.head().branch)
        if remote is None:
            return Refuse(why=(f"there is no remote {where} to push to",), hint=f"git remote add {where} URL")
        there, branch = remote.tags.get(name, ""), _branch_to_push(release, remote, tools)
        if there not in {"", release.commit}:
            return Refuse(
                why=(f"{where} has had the tag {name} for a moment, on commit {there[:10]}: somebody was faster",),
                hint=f"git pull --no-rebase --tags {where} {branch}, then the same command again",
            )
        if there and not branch:
            return Done(f"{name} on {release.commit[:10]} is on {where}", release)
        return Act(f"push {release.commit[:10]} as {f'{branch} and {name}' if branch else name} to {where}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Push both or neither."""
        remote = tools.scm.remote(tools.scm.head().branch)
        if remote is not None:
            _send(release, _message(release, self.remark, tools), remote, tools)
        return release


def _send(release: Release, message: str, remote: Remote, tools: Tools) -> None:
    name = tools.settings.git_tag(release.version)
    tools.scm.prepare(name, release.commit, message)
    tools.scm.publish(branch=_branch_to_push(release, remote, tools), tag=name)


@frozen(kw_only=True)
class Tag:
    """Tag the release commit and push tag and branch, both or neither.

    Attributes:
        remark: more for the tag's message.
    """

    remark: str = ""
    label = Label("tag")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the tag here and on the remote, and at the remote's branch."""
        name = tools.settings.git_tag(release.version)
        if not release.commit:
            return Act(f"tag the release commit {name} and push it", release)
        remote = tools.scm.remote(tools.scm.head().branch)
        here = tools.scm.commit_of(f"refs/tags/{name}")
        elsewhere = {here, remote.tags.get(name, "") if remote else ""} - {"", release.commit}
        if elsewhere:
            return Refuse(
                why=(
                    f"the tag {name} exists on commit {elsewhere.pop()[:10]}, and the release is {release.commit[:10]}",
                ),
                hint="a version never moves; choose the next one: inv bump --part patch",
            )
        return self._decided(name, here, remote, release, tools)

    def _decided(self, name: str, here: str, remote: Remote | None, release: Release, tools: Tools) -> Decision:
        where = f"{name} on {release.commit[:10]}"
        if remote is None:
            return Done(f"{where} is here", release) if here else Act(f"tag {where}", release)
        if here and name in remote.tags and not _branch_to_push(release, remote, tools):
            return Done(f"{where} is here and on {tools.settings.release.remote}", release)
        with_branch = _branch_to_push(release, remote, tools)
        what = f"{with_branch} and {name}" if with_branch else name
        return Act(f"tag {where}, push {what} to {tools.settings.release.remote}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Push what the remote lacks in one atomic push; once it has taken it, tag here too."""
        name, message = tools.settings.git_tag(release.version), _message(release, self.remark, tools)
        remote = tools.scm.remote(tools.scm.head().branch)
        if remote is not None:
            _send(release, message, remote, tools)
        tools.scm.tag(name, release.commit, message)
        return release


def _branch_to_push(release: Release, remote: Remote, tools: Tools) -> str:
    """Return the branch when the remote's lacks the release commit; a detached HEAD has none to push.

    A remote that is on a commit unknown here is no obstacle yet: the push itself says best what is to be done.
    """
    if tools.scm.commit_of(remote.branch) and tools.scm.is_ancestor(release.commit, remote.branch):
        return ""
    return tools.scm.head().branch
