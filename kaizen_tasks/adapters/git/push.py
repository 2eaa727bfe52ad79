"""Asking a remote where it stands, and pushing branch and tag to it, both or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.git.network import ProgressDisplay, run_network_command, timed_out
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable
from kaizen_tasks.ports.types import RemoteRefs

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.git.command import Git, GitResult

LS_REMOTE_TIMEOUT_SECONDS = 30.0
PUSH_TIMEOUT_SECONDS = 600.0


@frozen(kw_only=True)
class _Push:
    """One push, as its failures tell of it; `tag_ref` is the ref that names the tag here."""

    remote: str
    branch: str
    tag: str
    tag_ref: str
    commit: str

    @property
    def refs(self) -> str:
        return f"{self.branch} and {self.tag}" if self.branch else self.tag

    @property
    def state(self) -> str:
        return f"nothing has been pushed: {self.refs} are as before on {self.remote}"


@frozen(kw_only=True)
class _Rejection:
    """A ref that was not taken: its name there, git's reason, and the last thing the remote said."""

    ref: str
    reason: str
    message: str


def ls_remote(git: Git, remote: str, branch: str) -> RemoteRefs | None:
    """Ask for a branch and all tags in one call; None when the remote is not configured.

    Raises:
        Unreachable: it does not answer, or not within half a minute.
    """
    if not git.remote_url(remote):
        return None
    patterns = [f"refs/heads/{branch}"] if branch else []
    result = run_network_command(
        git, "ls-remote", "--end-of-options", remote, *patterns, "refs/tags/*", timeout=LS_REMOTE_TIMEOUT_SECONDS
    )
    if not result.ok:
        reason = f"no answer within {LS_REMOTE_TIMEOUT_SECONDS:g}s" if timed_out(result) else result.reason
        raise Unreachable(f"the remote {remote} cannot be asked: {reason}", hint=f"git ls-remote {remote}")
    refs = _parse_refs(result)
    tags = {name.removeprefix("refs/tags/"): commit for name, commit in refs.items() if name.startswith("refs/tags/")}
    return RemoteRefs(branch_commit=refs.get(f"refs/heads/{branch}", ""), tags=tags)


def push_refs(
    git: Git, remote: str, *, branch: str, tag: str, tag_ref: str, atomic: bool, progress: ProgressDisplay | None = None
) -> None:
    """Push what the remote is missing of a tag and of the branch as far as that tag.

    Args:
        git: the repository.
        remote: its name.
        branch: short name; empty when only the tag is to be pushed.
        tag: its name there.
        tag_ref: the ref that names it here; empty when there is none.
        atomic: both or neither; else the branch first, and the tag only once it has arrived.
        progress: where progress is shown.

    Raises:
        PushFailed: any of them was rejected; then none has moved, or the branch alone when it is not atomic.
        NotFound: there is no such tag here.
        Unreachable: the remote does not answer.
    """
    if not tag_ref:
        raise NotFound(f"there is no tag {tag} in this clone", state="nothing has been pushed")
    commit = git.resolve_commit(tag_ref)
    push = _Push(remote=remote, branch=branch, tag=tag, tag_ref=tag_ref, commit=commit)
    remote_refs = ls_remote(git, remote, branch)
    if remote_refs is None:
        raise PushFailed(
            f"there is no remote {remote}",
            state=f"{push.refs} are in this clone only",
            hint=f"git remote add {remote} URL, and run the same command again",
        )
    if remote_refs.tags.get(tag, commit) != commit:
        raise _tag_conflict_error(push, remote_refs.tags[tag])
    refspecs = [*_branch_refspec(git, push, remote_refs), *_tag_refspec(push, remote_refs)]
    for batch in [refspecs] if atomic and refspecs else [[refspec] for refspec in refspecs]:
        _push_refspecs(git, push, batch, atomic=atomic, progress=progress)


def _parse_refs(result: GitResult) -> dict[str, str]:
    """Read `hash TAB ref` lines; a peeled `ref^{}` comes after its tag and replaces it."""
    lines = (line.partition("\t") for line in result.text.splitlines())
    return {ref.removesuffix("^{}"): commit for commit, _, ref in lines}


def _branch_refspec(git: Git, push: _Push, remote_refs: RemoteRefs) -> list[str]:
    """Say what to push to the branch: the tagged commit, so that later work here stays here.

    When others have pushed since, only the local branch can have been merged with theirs.
    """
    if not push.branch or (
        remote_refs.branch_commit != push.commit and git.is_ancestor(push.commit, remote_refs.branch_commit)
    ):
        return []
    target = f"refs/heads/{push.branch}"
    if not remote_refs.branch_commit or git.is_ancestor(remote_refs.branch_commit, push.commit):
        return [f"{push.commit}:{target}"]
    return [f"{git.resolve_commit(target) or push.commit}:{target}"]


def _tag_refspec(push: _Push, remote_refs: RemoteRefs) -> list[str]:
    return [] if push.tag in remote_refs.tags else [f"{push.tag_ref}:refs/tags/{push.tag}"]


def _push_refspecs(
    git: Git, push: _Push, refspecs: list[str], *, atomic: bool, progress: ProgressDisplay | None
) -> None:
    result = run_network_command(
        git, "push", "--atomic" if atomic else "--no-atomic", "--porcelain", "--progress" if progress else "--no-progress",
        "--no-follow-tags", "--recurse-submodules=no", "--end-of-options", push.remote, *refspecs,
        timeout=PUSH_TIMEOUT_SECONDS,
        progress=progress,
    )  # fmt: skip
    if not result.ok:
        raise _push_error(push, result)


def _push_error(push: _Push, result: GitResult) -> PushFailed:
    rejection = _parse_rejection(result)
    if rejection is None:
        return _unsent_error(push, result)
    text = f"{rejection.reason} {rejection.message} {result.err}".lower()
    build_error = next(
        (build_error for phrases, build_error in _ERRORS_BY_PHRASE if any(phrase in text for phrase in phrases)),
        _rejected_error,
    )
    return build_error(push, rejection)


def _parse_rejection(result: GitResult) -> _Rejection | None:
    """Find the ref that was to blame in `git push --porcelain`: the others fail because the push is atomic."""
    rows = [line.split("\t") for line in result.text.splitlines() if line.startswith("!\t")]
    if not rows:
        return None
    blamed_row = next((row for row in rows if "atomic" not in row[2]), rows[0])
    messages = [line.removeprefix("remote:").strip() for line in result.err.splitlines() if "remote:" in line]
    return _Rejection(
        ref=blamed_row[1].partition(":")[2].split("/", 2)[-1],
        reason=blamed_row[2].partition("(")[2].removesuffix(")") or blamed_row[2],
        message=next((message for message in messages if message), ""),
    )


def _unsent_error(push: _Push, result: GitResult) -> PushFailed:
    if "does not support --atomic" in result.err:
        return PushFailed(
            f"{push.remote} cannot take two refs in one atomic push",
            state=push.state,
            hint="release.atomic = false in kaizen.toml pushes the branch first and then the tag",
        )
    if timed_out(result):
        return PushFailed(
            f"{push.remote} did not take {push.refs} within {PUSH_TIMEOUT_SECONDS:g}s",
            state="it is not known whether they arrived; both did, or neither",
            hint="run the same command again: it looks first",
        )
    if "failed to push some refs" in result.reason:
        return PushFailed(
            f"the pre-push hook rejects {push.refs}: {_last_hook_line(result)}",
            state=push.state,
            hint="satisfy the hook, and run the same command again",
        )
    return PushFailed(
        f"{push.refs} could not be pushed to {push.remote}: {result.reason}",
        state=push.state,
        hint=f"git push {push.remote} shows whether it is access or network; then run the same command again",
    )


def _last_hook_line(result: GitResult) -> str:
    lines = [line.strip() for line in result.err.splitlines() if line.strip()]
    hook_lines = [line for line in lines if not line.startswith(("error: failed to push", "hint:"))]
    return hook_lines[-1] if hook_lines else "it says nothing"


def _non_fast_forward_error(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"{push.remote} rejects {rejection.ref}: it has commits that are not in it here ({rejection.reason})",
        state=push.state,
        hint=f"git pull --no-rebase --tags {push.remote} {push.branch}, and run the same command again",
    )


def _tag_conflict_error(push: _Push, commit: str) -> PushFailed:
    return PushFailed(
        f"{push.remote} has a tag {push.tag} on another commit{commit and f' ({commit[:12]})'}",
        state=push.state,
        hint=f"git pull --no-rebase --tags {push.remote} {push.branch}".rstrip() + ", and run the same command again",
    )


def _protected_branch_error(push: _Push, rejection: _Rejection) -> PushFailed:
    side_branch = f"release-{push.tag}"
    return PushFailed(
        f"{push.remote} protects {rejection.ref}: {rejection.message or rejection.reason}",
        state=push.state,
        hint=f"git push {push.remote} {push.commit}:refs/heads/{side_branch}, open a pull request from {side_branch} "
        f"into {push.branch}, merge it with a merge commit, and run the same command again",
    )


def _hook_declined_error(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"a hook on {push.remote} declines {rejection.ref}: {rejection.message or rejection.reason}",
        state=push.state,
        hint="satisfy it, and run the same command again",
    )


def _rejected_error(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"{push.remote} rejects {rejection.ref}: {rejection.message or rejection.reason}",
        state=push.state,
        hint="run the same command again; if it stays so, ask whoever runs the remote",
    )


# In this order: a protected branch is reported as a declining hook too.
_ERRORS_BY_PHRASE: tuple[tuple[tuple[str, ...], Callable[[_Push, _Rejection], PushFailed]], ...] = (
    (("protected branch", "repository rule violations", "gh006", "gh013"), _protected_branch_error),
    (("already exists",), lambda push, _: _tag_conflict_error(push, "")),
    (("non-fast-forward", "fetch first", "stale info", "but expected"), _non_fast_forward_error),
    (("hook declined",), _hook_declined_error),
)
