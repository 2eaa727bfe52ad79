"""Pushes branch and tag to a remote atomically, and says why a push failed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import frozen

from kaizen_tasks.adapters.git.command import GitResult
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.adapters.git.remote_refs import TAG_PREFIX, Remote, claim_refs, commits_by_tag
from kaizen_tasks.errors import BranchProtected, NotFound, PushFailed

PUSH_TIMEOUT_SECONDS = 600.0


@frozen(kw_only=True)
class Push:
    """One push, as its error messages describe it."""

    remote: str
    branch: str
    tag: str
    commit: str

    @property
    def refs(self) -> str:
        """The names of branch and tag."""
        return f"{self.branch} and {self.tag}" if self.branch else self.tag

    @property
    def upstream(self) -> str:
        """Remote and branch, as `git pull` takes them."""
        return f"{self.remote} {self.branch}".rstrip()

    @property
    def state(self) -> str:
        """The state of things after the push was rejected."""
        return f"nothing has been pushed: {self.remote} is as before"


@frozen(kw_only=True)
class _Rejection:
    """A rejected ref: its refspec, its name on the remote, git's reason, and the remote's first message."""

    refspec: str
    ref: str
    reason: str
    message: str


def push_refs(
    remote: Remote,
    *,
    branch: str,
    tag: str,
    tag_ref: str,
    tip: str = "",
    on_progress: Callable[[str], None] | None = None,
) -> None:
    """Push a tag, and the branch up to the tagged commit, if the remote lacks them, and delete the release's claim.

    Args:
        remote: the remote; if it is not atomic, the branch is pushed first, then the tag.
        branch: the branch's short name; empty to push only the tag.
        tag: the tag's name on the remote.
        tag_ref: the tag's local ref; empty when there is none.
        tip: the commit to push to the branch; empty for the tagged commit or, if others have pushed since, the local
            branch, into which their commits may have been merged.
        on_progress: called with each line of progress; None for no progress.

    Raises:
        PushFailed: a ref was rejected; no ref has moved, except possibly the branch when not atomic.
        NotFound: this clone has no such tag.
    """
    if not tag_ref:
        raise NotFound(f"there is no tag {tag} in this clone", state="nothing has been pushed")
    commit = remote.git.resolve_commit(tag_ref)
    push, tags = (
        Push(remote=remote.name, branch=branch, tag=tag, commit=commit),
        commits_by_tag(remote.refs, TAG_PREFIX),
    )
    if tags.get(tag, commit) != commit:
        message = f"{_TAG_CONFLICT} ({tags[tag][:12]})"
        raise PushFailed(message.format(push=push), state=push.state, hint=_PULL_HINT.format(push=push))
    tag_refspec = [] if tag in tags else [f"{tag_ref}:{TAG_PREFIX}{tag}"]
    branch_refspec = [f"{tip}:refs/heads/{branch}"] if tip else _branch_refspec(remote, push)
    refspecs = [*branch_refspec, *tag_refspec]
    deletions = [f":{ref}" for ref in claim_refs(remote.refs, tag)]
    result = _push_all(remote, [*refspecs, *deletions], on_progress)
    if deletions and is_rejected(result, among=deletions):  # some remotes let nobody delete a ref
        result = _push_all(remote, refspecs, on_progress)
    if not result.ok:
        raise push_error(push, result)


def no_remote_error(remote: str, tag: str, branch: str) -> PushFailed:
    """Return the error for a push without a remote."""
    push = Push(remote=remote, branch=branch, tag=tag, commit="")
    return PushFailed(
        f"there is no remote {remote}",
        state=f"{push.refs} are in this clone only",
        hint=f"git remote add {remote} URL, and run the same command again",
    )


def _branch_refspec(remote: Remote, push: Push) -> list[str]:
    """Return the refspec that pushes the tagged commit to the branch, without later local commits.

    If others have pushed since, push the local branch, into which their commits may have been merged.
    """
    target, git = f"refs/heads/{push.branch}", remote.git
    old = remote.refs.get(target, "")
    if not push.branch or (old != push.commit and git.is_ancestor(push.commit, old)):
        return []
    if not old or git.is_ancestor(old, push.commit):
        return [f"{push.commit}:{target}"]
    return [f"{git.resolve_commit(target) or push.commit}:{target}"]


def _push_all(remote: Remote, refspecs: list[str], on_progress: Callable[[str], None] | None) -> GitResult:
    """Push refspecs in one push, or one after the other until one fails; return the last result."""
    result = GitResult(status=0, out=b"", err="")
    for batch in [refspecs] if remote.atomic and refspecs else [[refspec] for refspec in refspecs]:
        result = run_network_command(
            remote.git, "push", "--porcelain", "--progress" if on_progress else "--no-progress",
            "--atomic" if remote.atomic else "--no-atomic", "--no-follow-tags", "--recurse-submodules=no",
            "--end-of-options", remote.name, *batch,
            timeout=PUSH_TIMEOUT_SECONDS,
            on_progress=on_progress,
        )  # fmt: skip
        if not result.ok:
            break
    return result


def is_rejected(result: GitResult, *, among: Collection[str] | None = None) -> bool:
    """Return whether the remote has rejected a ref, or one of some refspecs, and not only failed to answer."""
    rejection = None if result.ok else _parse_rejection(result)
    return rejection is not None and (among is None or rejection.refspec in among)


def push_error(push: Push, result: GitResult) -> PushFailed:
    """Return the error for a failed push."""
    rejection = _parse_rejection(result)
    if rejection is None:
        return _unsent_error(push, result)
    text = f"{rejection.reason} {rejection.message} {result.err}".lower()
    rows = (row for row in _ERRORS_BY_PHRASE if any(phrase in text for phrase in row[0]))
    _, error, message, hint = next(rows)
    values = {"push": push, "ref": rejection.ref, "reason": rejection.reason, "side": f"release-{push.tag}"}
    values["why"] = rejection.message or rejection.reason
    if "hook declined" in text and rejection.ref == push.branch:
        error = BranchProtected  # many servers protect branches by a hook of their own, with words of their own
    return error(message.format(**values), state=push.state, hint=hint.format(**values))


def _parse_rejection(result: GitResult) -> _Rejection | None:
    """Return the ref that made `git push --porcelain` fail, not those that failed with it; None if there is none."""
    rows = [line.split("\t") for line in result.text.splitlines() if line.startswith("!\t")]
    if not rows:
        return None
    blamed_row = next((row for row in rows if "atomic" not in row[2]), rows[0])
    messages = [line.removeprefix("remote:").strip() for line in result.err.splitlines() if "remote:" in line]
    return _Rejection(
        refspec=blamed_row[1],
        ref=blamed_row[1].partition(":")[2].split("/", 2)[-1],
        reason=blamed_row[2].partition("(")[2].removesuffix(")") or blamed_row[2],
        message=next((message for message in messages if message), ""),
    )


def _unsent_error(push: Push, result: GitResult) -> PushFailed:
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
_ERRORS_BY_PHRASE: tuple[tuple[tuple[str, ...], type[PushFailed], str, str], ...] = (
    (
        ("protected branch", "repository rule violations", "gh006", "gh013", "tf402455", "pull request"),
        BranchProtected,
        "{push.remote} protects {ref}: {why}",
        _PULL_REQUEST_HINT,
    ),
    (("already exists",), PushFailed, _TAG_CONFLICT, _PULL_HINT),
    (
        ("non-fast-forward", "fetch first", "stale info", "but expected"),
        PushFailed,
        "{push.remote} rejects {ref}: it has commits that this clone lacks ({reason})",
        _PULL_HINT,
    ),
    (
        ("hook declined",),
        PushFailed,
        "a hook on {push.remote} declines {ref}: {why}",
        "fix what it reports, and run the same command again",
    ),
    (
        ("",),
        PushFailed,
        "{push.remote} rejects {ref}: {why}",
        "run the same command again; if it fails again, ask the administrator of the remote",
    ),
)
