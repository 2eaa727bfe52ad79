"""Reads the refs of a remote, and pushes branch and tag to it atomically."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from kaizen_tasks.adapters.git.command import Git, GitResult
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.errors import NotFound, PushFailed, Unreachable
from kaizen_tasks.ports.types import RemoteRefs

LS_REMOTE_TIMEOUT_SECONDS = 30.0
PUSH_TIMEOUT_SECONDS = 600.0


@frozen(kw_only=True)
class _Push:
    """One push, as its error messages describe it."""

    remote: str
    branch: str
    tag: str
    commit: str

    @property
    def refs(self) -> str:
        return f"{self.branch} and {self.tag}" if self.branch else self.tag

    @property
    def upstream(self) -> str:
        return f"{self.remote} {self.branch}".rstrip()

    @property
    def state(self) -> str:
        return f"nothing has been pushed: {self.refs} are as before on {self.remote}"


@frozen(kw_only=True)
class _Rejection:
    """A rejected ref: its name on the remote, git's reason, and the remote's first message."""

    ref: str
    reason: str
    message: str


def ls_remote(git: Git, remote: str, branch: str) -> RemoteRefs | None:
    """Return a branch and all tags of a remote, or None when the remote is not configured.

    Raises:
        Unreachable: the remote cannot be read, or does not answer within 30 s.
    """
    if not git.remote_url(remote):
        return None
    patterns = [f"refs/heads/{branch}"] if branch else []
    argv = ("ls-remote", "--end-of-options", remote, *patterns, "refs/tags/*")
    result = run_network_command(git, *argv, timeout=LS_REMOTE_TIMEOUT_SECONDS)
    if not result.ok:
        reason = f"no answer within {LS_REMOTE_TIMEOUT_SECONDS:g}s" if timed_out(result) else result.reason
        raise Unreachable(f"the remote {remote} cannot be read: {reason}", hint=f"git ls-remote {remote}")
    refs = _parse_refs(result)
    tags = {name.removeprefix("refs/tags/"): commit for name, commit in refs.items() if name.startswith("refs/tags/")}
    return RemoteRefs(branch_commit=refs.get(f"refs/heads/{branch}", ""), tags=tags)


def push_refs(
    git: Git,
    remote: str,
    *,
    branch: str,
    tag: str,
    tag_ref: str,
    atomic: bool,
    on_progress: Callable[[str], None] | None = None,
) -> None:
    """Push a tag, and the branch up to the tagged commit, if the remote lacks them.

    Args:
        git: the repository.
        remote: the remote's name.
        branch: the branch's short name; empty to push only the tag.
        tag: the tag's name on the remote.
        tag_ref: the tag's local ref; empty when there is none.
        atomic: whether to push both or neither; otherwise the branch is pushed first, then the tag.
        on_progress: called with each line of progress; None for no progress.

    Raises:
        PushFailed: a ref was rejected; no ref has moved, except possibly the branch when not atomic.
        NotFound: this clone has no such tag.
        Unreachable: the remote does not answer.
    """
    if not tag_ref:
        raise NotFound(f"there is no tag {tag} in this clone", state="nothing has been pushed")
    commit = git.resolve_commit(tag_ref)
    push = _Push(remote=remote, branch=branch, tag=tag, commit=commit)
    remote_refs = ls_remote(git, remote, branch)
    if remote_refs is None:
        raise PushFailed(
            f"there is no remote {remote}",
            state=f"{push.refs} are in this clone only",
            hint=f"git remote add {remote} URL, and run the same command again",
        )
    if remote_refs.tags.get(tag, commit) != commit:
        message = f"{_TAG_CONFLICT} ({remote_refs.tags[tag][:12]})"
        raise PushFailed(message.format(push=push), state=push.state, hint=_PULL_HINT.format(push=push))
    tag_refspec = [] if tag in remote_refs.tags else [f"{tag_ref}:refs/tags/{tag}"]
    refspecs = [*_branch_refspec(git, push, remote_refs), *tag_refspec]
    for batch in [refspecs] if atomic and refspecs else [[refspec] for refspec in refspecs]:
        _push_refspecs(git, push, batch, atomic=atomic, on_progress=on_progress)


def _parse_refs(result: GitResult) -> dict[str, str]:
    """Return hashes by ref; for an annotated tag, that of its commit, from the line `ref^{}` after the tag's line."""
    lines = (line.partition("\t") for line in result.text.splitlines())
    return {ref.removesuffix("^{}"): commit for commit, _, ref in lines}


def _branch_refspec(git: Git, push: _Push, remote_refs: RemoteRefs) -> list[str]:
    """Return the refspec that pushes the tagged commit to the branch, without later local commits.

    If others have pushed since, push the local branch, into which their commits may have been merged.
    """
    target, old = f"refs/heads/{push.branch}", remote_refs.branch_commit
    if not push.branch or (old != push.commit and git.is_ancestor(push.commit, old)):
        return []
    if not old or git.is_ancestor(old, push.commit):
        return [f"{push.commit}:{target}"]
    return [f"{git.resolve_commit(target) or push.commit}:{target}"]


def _push_refspecs(
    git: Git, push: _Push, refspecs: list[str], *, atomic: bool, on_progress: Callable[[str], None] | None
) -> None:
    result = run_network_command(
        git, "push", "--porcelain", "--progress" if on_progress else "--no-progress",
        "--atomic" if atomic else "--no-atomic", "--no-follow-tags", "--recurse-submodules=no",
        "--end-of-options", push.remote, *refspecs,
        timeout=PUSH_TIMEOUT_SECONDS,
        on_progress=on_progress,
    )  # fmt: skip
    if not result.ok:
        raise _push_error(push, result)


def _push_error(push: _Push, result: GitResult) -> PushFailed:
    rejection = _parse_rejection(result)
    if rejection is None:
        return _unsent_error(push, result)
    text = f"{rejection.reason} {rejection.message} {result.err}".lower()
    message, hint = next(texts for phrases, *texts in _ERRORS_BY_PHRASE if any(phrase in text for phrase in phrases))
    values = {"push": push, "ref": rejection.ref, "reason": rejection.reason, "side": f"release-{push.tag}"}
    values["why"] = rejection.message or rejection.reason
    return PushFailed(message.format(**values), state=push.state, hint=hint.format(**values))


def _parse_rejection(result: GitResult) -> _Rejection | None:
    """Return the ref that made `git push --porcelain` fail, not those that failed with it; None if there is none."""
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
            f"{push.remote} does not support atomic pushes of two refs",
            state=push.state,
            hint="release.atomic = false in kaizen.toml pushes the branch first and then the tag",
        )
    if timed_out(result):
        return PushFailed(
            f"pushing {push.refs} to {push.remote} did not finish within {PUSH_TIMEOUT_SECONDS:g}s",
            state="it is unknown whether they arrived; either both did or neither",
            hint="run the same command again; it checks first",
        )
    if "failed to push some refs" in result.reason:
        return PushFailed(
            f"the pre-push hook rejects {push.refs}: {_last_hook_line(result)}",
            state=push.state,
            hint="fix what the hook reports, and run the same command again",
        )
    return PushFailed(
        f"{push.refs} could not be pushed to {push.remote}: {result.reason}",
        state=push.state,
        hint=f"check access and network with: git push {push.remote}; then run the same command again",
    )


def _last_hook_line(result: GitResult) -> str:
    lines = [line.strip() for line in result.err.splitlines() if line.strip()]
    hook_lines = [line for line in lines if not line.startswith(("error: failed to push", "hint:"))]
    return hook_lines[-1] if hook_lines else "it printed nothing"


_TAG_CONFLICT = "{push.remote} has a tag {push.tag} on another commit"
_PULL_REQUEST_HINT = (
    "git push {push.remote} {push.commit}:refs/heads/{side}, open a pull request from {side} into {push.branch}, "
    "merge it with a merge commit, and run the same command again"
)
_PULL_HINT = "git pull --no-rebase --tags {push.upstream}, and run the same command again"

# In this order: a protected branch is also reported as a declined hook.
_ERRORS_BY_PHRASE = (
    (
        ("protected branch", "repository rule violations", "gh006", "gh013"),
        "{push.remote} protects {ref}: {why}",
        _PULL_REQUEST_HINT,
    ),
    (("already exists",), _TAG_CONFLICT, _PULL_HINT),
    (
        ("non-fast-forward", "fetch first", "stale info", "but expected"),
        "{push.remote} rejects {ref}: it has commits that this clone lacks ({reason})",
        _PULL_HINT,
    ),
    (
        ("hook declined",),
        "a hook on {push.remote} declines {ref}: {why}",
        "fix what it reports, and run the same command again",
    ),
    (
        ("",),
        "{push.remote} rejects {ref}: {why}",
        "run the same command again; if it fails again, ask the administrator of the remote",
    ),
)
