"""Asking a remote where it stands, and pushing branch and tag to it, both or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.git.network import exchange, late
from kaizen_tasks.adapters.git.urls import address
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable
from kaizen_tasks.ports.types import Remote

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.git.command import Git, Output

ASK_SECONDS = 30.0
PUSH_SECONDS = 600.0


@frozen(kw_only=True)
class _Push:
    """One push, as its failures tell of it; `source` is the ref that names the tag here."""

    remote: str
    branch: str
    tag: str
    source: str
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
    remark: str


def ask(git: Git, remote: str, branch: str) -> Remote | None:
    """Ask for a branch and all tags in one call; None when the remote is not configured.

    Raises:
        Unreachable: it does not answer, or not within half a minute.
    """
    if not address(git, remote):
        return None
    patterns = [f"refs/heads/{branch}"] if branch else []
    output = exchange(git, "ls-remote", "--end-of-options", remote, *patterns, "refs/tags/*", timeout=ASK_SECONDS)
    if not output.ok:
        reason = f"no answer within {ASK_SECONDS:g}s" if late(output) else output.reason
        raise Unreachable(f"the remote {remote} cannot be asked: {reason}", hint=f"git ls-remote {remote}")
    refs = _refs(output)
    tags = {name.removeprefix("refs/tags/"): at for name, at in refs.items() if name.startswith("refs/tags/")}
    return Remote(branch=refs.get(f"refs/heads/{branch}", ""), tags=tags)


def publish(git: Git, remote: str, *, branch: str, tag: str, source: str, atomic: bool) -> None:
    """Push what the remote is missing of a tag and of the branch as far as that tag.

    Args:
        git: the repository.
        remote: its name.
        branch: short name; empty when only the tag is to be pushed.
        tag: its name there.
        source: the ref that names it here; empty when there is none.
        atomic: both or neither; else the branch first, and the tag only once it has arrived.

    Raises:
        PushFailed: any of them was rejected; then none has moved, or the branch alone when it is not atomic.
        NotFound: there is no such tag here.
        Unreachable: the remote does not answer.
    """
    if not source:
        raise NotFound(f"there is no tag {tag} in this clone", state="nothing has been pushed")
    commit = git.commit_of(source)
    push = _Push(remote=remote, branch=branch, tag=tag, source=source, commit=commit)
    there = ask(git, remote, branch)
    if there is None:
        raise PushFailed(
            f"there is no remote {remote}",
            state=f"{push.refs} are in this clone only",
            hint=f"git remote add {remote} URL, and run the same command again",
        )
    if there.tags.get(tag, commit) != commit:
        raise _taken(push, there.tags[tag])
    refspecs = [*_branch_refspec(git, push, there), *_tag_refspec(push, there)]
    for pushed in [refspecs] if atomic and refspecs else [[each] for each in refspecs]:
        _run(git, push, pushed, atomic=atomic)


def _refs(output: Output) -> dict[str, str]:
    """Read `hash TAB ref` lines; a peeled `ref^{}` comes after its tag and replaces it."""
    lines = (line.partition("\t") for line in output.text.splitlines())
    return {ref.removesuffix("^{}"): at for at, _, ref in lines}


def _branch_refspec(git: Git, push: _Push, there: Remote) -> list[str]:
    """Say what to push to the branch: the tagged commit, so that later work here stays here.

    When others have pushed since, only the local branch can have been merged with theirs.
    """
    if not push.branch or (there.branch != push.commit and git.is_ancestor(push.commit, there.branch)):
        return []
    target = f"refs/heads/{push.branch}"
    if not there.branch or git.is_ancestor(there.branch, push.commit):
        return [f"{push.commit}:{target}"]
    return [f"{git.commit_of(target) or push.commit}:{target}"]


def _tag_refspec(push: _Push, there: Remote) -> list[str]:
    return [] if push.tag in there.tags else [f"{push.source}:refs/tags/{push.tag}"]


def _run(git: Git, push: _Push, refspecs: list[str], *, atomic: bool) -> None:
    output = exchange(
        git, "push", "--atomic" if atomic else "--no-atomic", "--porcelain",
        "--no-follow-tags", "--recurse-submodules=no", "--end-of-options", push.remote, *refspecs,
        timeout=PUSH_SECONDS,
    )  # fmt: skip
    if not output.ok:
        raise _failure(push, output)


def _failure(push: _Push, output: Output) -> PushFailed:
    rejection = _rejection(output)
    if rejection is None:
        return _unsent(push, output)
    said = f"{rejection.reason} {rejection.remark} {output.err}".lower()
    tell = next((tell for marks, tell in _FAILURES if any(mark in said for mark in marks)), _rejected)
    return tell(push, rejection)


def _rejection(output: Output) -> _Rejection | None:
    """Find the ref that was to blame in `git push --porcelain`: the others fail because the push is atomic."""
    rows = [line.split("\t") for line in output.text.splitlines() if line.startswith("!\t")]
    if not rows:
        return None
    blamed = next((row for row in rows if "atomic" not in row[2]), rows[0])
    remarks = [line.removeprefix("remote:").strip() for line in output.err.splitlines() if "remote:" in line]
    return _Rejection(
        ref=blamed[1].partition(":")[2].split("/", 2)[-1],
        reason=blamed[2].partition("(")[2].removesuffix(")") or blamed[2],
        remark=next((each for each in remarks if each), ""),
    )


def _unsent(push: _Push, output: Output) -> PushFailed:
    if "does not support --atomic" in output.err:
        return PushFailed(
            f"{push.remote} cannot take two refs in one atomic push",
            state=push.state,
            hint="release.atomic = false in kaizen.toml pushes the branch first and then the tag",
        )
    if late(output):
        return PushFailed(
            f"{push.remote} did not take {push.refs} within {PUSH_SECONDS:g}s",
            state="it is not known whether they arrived; both did, or neither",
            hint="run the same command again: it looks first",
        )
    if "failed to push some refs" in output.reason:
        return PushFailed(
            f"the pre-push hook rejects {push.refs}: {_before_verdict(output)}",
            state=push.state,
            hint="satisfy the hook, and run the same command again",
        )
    return PushFailed(
        f"{push.refs} could not be pushed to {push.remote}: {output.reason}",
        state=push.state,
        hint=f"git push {push.remote} shows whether it is access or network; then run the same command again",
    )


def _before_verdict(output: Output) -> str:
    lines = [line.strip() for line in output.err.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("error: failed to push", "hint:"))]
    return said[-1] if said else "it says nothing"


def _behind(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"{push.remote} rejects {rejection.ref}: it has commits that are not in it here ({rejection.reason})",
        state=push.state,
        hint=f"git pull --no-rebase --tags {push.remote} {push.branch}, and run the same command again",
    )


def _taken(push: _Push, commit: str) -> PushFailed:
    return PushFailed(
        f"{push.remote} has a tag {push.tag} on another commit{commit and f' ({commit[:12]})'}",
        state=push.state,
        hint=f"git pull --no-rebase --tags {push.remote} {push.branch}".rstrip() + ", and run the same command again",
    )


def _protected(push: _Push, rejection: _Rejection) -> PushFailed:
    side = f"release-{push.tag}"
    return PushFailed(
        f"{push.remote} protects {rejection.ref}: {rejection.remark or rejection.reason}",
        state=push.state,
        hint=f"git push {push.remote} {push.commit}:refs/heads/{side}, open a pull request from {side} "
        f"into {push.branch}, merge it with a merge commit, and run the same command again",
    )


def _declined(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"a hook on {push.remote} declines {rejection.ref}: {rejection.remark or rejection.reason}",
        state=push.state,
        hint="satisfy it, and run the same command again",
    )


def _rejected(push: _Push, rejection: _Rejection) -> PushFailed:
    return PushFailed(
        f"{push.remote} rejects {rejection.ref}: {rejection.remark or rejection.reason}",
        state=push.state,
        hint="run the same command again; if it stays so, ask whoever runs the remote",
    )


# In this order: a protected branch is reported as a declining hook too.
_FAILURES: tuple[tuple[tuple[str, ...], Callable[[_Push, _Rejection], PushFailed]], ...] = (
    (("protected branch", "repository rule violations", "gh006", "gh013"), _protected),
    (("already exists",), lambda push, _: _taken(push, "")),
    (("non-fast-forward", "fetch first", "stale info", "but expected"), _behind),
    (("hook declined",), _declined),
)
