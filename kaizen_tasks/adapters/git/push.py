"""Pushes branch and tag to a remote atomically, and says why a push failed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import evolve, frozen

from kaizen_tasks.adapters.git.command import GitResult
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.adapters.git.remote_refs import CLAIM_PREFIXES, TAG_PREFIX, Remote, claim_refs, commits_by_tag
from kaizen_tasks.domain.git.push_rejection import Cause, find_cause, find_rejection, first_reason, server_lines
from kaizen_tasks.domain.text.log_excerpt import last_words, output_tail
from kaizen_tasks.errors import BranchProtected, NotFound, PushFailed

PUSH_TIMEOUT_SECONDS = 600.0


@frozen(kw_only=True)
class Push:
    """One push, as its error messages describe it.

    Attributes:
        undo: the commands after which the release commit is made anew.
        atomic: whether the refs were sent all or nothing.
        done: the refs or refspecs that were pushed one by one before another one failed.
    """

    remote: str
    branch: str
    tag: str
    commit: str
    undo: str = ""
    atomic: bool = True
    done: tuple[str, ...] = ()

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
        if not self.done:
            return f"nothing has been pushed: {self.remote} is as before"
        names = [
            refspec.rpartition(":")[2].removeprefix("refs/heads/").removeprefix(TAG_PREFIX) for refspec in self.done
        ]
        return f"{self.remote} has {' and '.join(names)}; nothing else has been pushed"


def push_to_all(remotes: tuple[Remote, ...], tag: str, push_to: Callable[[Remote], None]) -> None:
    """Push to every URL of a remote in order; stop at the first that rejects it.

    Args:
        remotes: the remote, once for each URL.
        tag: the tag's name.
        push_to: pushes to one URL.

    Raises:
        PushFailed: one rejected the push; the state says which ones have it.
    """
    for index, remote in enumerate(remotes):
        try:
            push_to(remote)
        except PushFailed as error:
            if index:
                names = " and ".join(done.name for done in remotes[:index])
                error.state = f"{names} has {tag}; on {remote.name}: {error.state}"
            raise


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
    result, done = _push_all(remote, [*refspecs, *deletions], on_progress)
    if deletions and is_rejected(result, among=deletions):  # some remotes let nobody delete a ref
        result, done = _push_all(remote, refspecs, on_progress)
    if not result.ok:
        push = evolve(push, atomic=remote.atomic, done=done)
        raise push_error(evolve(push, undo=_undo_commands(remote, push, tag_ref)), result)


def _undo_commands(remote: Remote, push: Push, tag_ref: str) -> str:
    """Return the commands after which the release commit is made anew, or only its tag if others have the commit."""
    forget = f"git tag -d {push.tag}" if tag_ref.startswith(TAG_PREFIX) else undo_command(push.tag)
    is_head = not push.done and remote.git.resolve_commit("HEAD") == push.commit
    return f"git reset --keep HEAD^ && {forget}" if is_head else forget


def undo_command(tag: str) -> str:
    """Return the command that forgets the release commit which is not on a branch yet."""
    return f"git update-ref -d {CLAIM_PREFIXES[0]}{tag}"


def no_remote_error() -> PushFailed:
    """Return the error for a push without a remote."""
    return PushFailed(
        "there is no remote to push to",
        state="nothing has been pushed",
        hint="git remote add origin URL, and run the same command again",
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
    return [f"{git.resolve_commit(target) or git.resolve_commit('HEAD')}:{target}"]


def _push_all(
    remote: Remote, refspecs: list[str], on_progress: Callable[[str], None] | None
) -> tuple[GitResult, tuple[str, ...]]:
    """Push refspecs in one push, or in order until one fails; return the last result and what was pushed before it."""
    result, done = GitResult(status=0, out=b"", err=""), 0
    for batch in [refspecs] if remote.atomic and refspecs else [[refspec] for refspec in refspecs]:
        result = run_network_command(
            remote.git, "push", "--porcelain", "--progress" if on_progress else "--no-progress",
            "--atomic" if remote.atomic else "--no-atomic", "--no-follow-tags", "--recurse-submodules=no",
            "--end-of-options", remote.push_address, *batch,
            timeout=PUSH_TIMEOUT_SECONDS,
            on_progress=on_progress,
            env=remote.env,
        )  # fmt: skip
        if not result.ok:
            break
        done += len(batch)
    return result, tuple(refspecs[:done])


def is_rejected(result: GitResult, *, among: Collection[str] | None = None) -> bool:
    """Return whether the remote has rejected a ref, or one of some refspecs, and not only failed to answer."""
    rejection = None if result.ok else find_rejection(result.text, result.err)
    return rejection is not None and (among is None or rejection.refspec in among)


def push_error(push: Push, result: GitResult) -> PushFailed:
    """Return the error for a failed push, with all that the server has printed."""
    rejection = find_rejection(result.text, result.err)
    if rejection is None:
        return _unsent_error(push, result)
    cause, ref = rejection.cause, rejection.name
    is_branch = ref == push.branch and not rejection.is_tag
    message, hint = _MESSAGES[cause], _HINTS[cause]
    if cause in {Cause.RULE, Cause.HOOK}:
        hint = _PULL_REQUEST_HINT if cause is Cause.RULE and is_branch else hint
    elif cause is Cause.PERMISSION and rejection.is_tag:
        hint = _HINTS[Cause.RULE]
    values = {"push": push, "ref": ref, "reason": rejection.reason, "why": rejection.why, "side": f"release-{push.tag}"}
    values["kind"] = "tag" if rejection.is_tag else "branch"
    error = BranchProtected if is_branch and cause in {Cause.RULE, Cause.HOOK} else PushFailed
    output = output_tail("\n".join(f"remote: {line}".rstrip() for line in rejection.lines))
    failure = error(message.format(**values), state=push.state, hint=hint.format(**values), output=output)
    failure.branch_has_moved = is_branch and cause is Cause.OUTDATED and not push.done
    return failure


def claim_error(push: Push, result: GitResult) -> PushFailed:
    """Return the error for a claim that the remote accepts under no name, with the permission that it needs."""
    error = push_error(push, result)
    rejection = find_rejection(result.text, result.err)
    if rejection is None or rejection.cause not in {Cause.RULE, Cause.PERMISSION, Cause.HOOK, Cause.OTHER}:
        return error
    return PushFailed(
        f"{push.remote} accepts {push.tag} neither as refs/kaizen/* nor as a branch kaizen/*: {rejection.why}",
        state=push.state,
        hint="allow this account to create, move and delete refs/kaizen/* or the branches kaizen/*, "
        "then run the same command again",
        output=error.output,
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
            state=f"it is unknown whether they arrived{'; either both did or neither' if push.atomic else ''}",
            hint="run the same command again; it checks first",
        )
    if "failed to push some refs" in result.reason and not server_lines(result.err):
        lines = _hook_lines(result)
        return PushFailed(
            f"the pre-push hook rejects {push.refs}: {last_words(lines) or 'it printed nothing'}",
            state=push.state,
            hint="fix what the hook reports, and run the same command again",
            output=output_tail("\n".join(lines)),
        )
    cause = find_cause(result.err)
    hint = _HINTS[cause] if cause in {Cause.PERMISSION, Cause.AUTHENTICATION, Cause.SIZE} else _ACCESS_HINT
    return PushFailed(
        f"{push.refs} could not be pushed to {push.remote}: {_unsent_reason(result)}",
        state=push.state,
        hint=hint.format(push=push, ref=push.refs),
        output=output_tail(result.err),
    )


def _hook_lines(result: GitResult) -> list[str]:
    """Return what a pre-push hook has printed, on stdout and on stderr."""
    lines = (*result.text.splitlines(), *result.err.splitlines())
    return [line for line in lines if not line.startswith(("error: failed to push", "hint:", "To "))]


def _unsent_reason(result: GitResult) -> str:
    """Return the server's reason, also over SSH, where git does not mark it, else git's."""
    errors = tuple(line for line in result.err.splitlines() if line.startswith(("ERROR: ", "GitLab: ")))
    return first_reason(server_lines(result.err) or errors) or result.reason


_TAG_CONFLICT = "{push.remote} has a tag {push.tag} on another commit"
_PULL_REQUEST_HINT = (
    "merge it into {push.branch} by a pull request, with a merge commit, and pull, from the branch that this makes: "
    "git push {push.remote} {push.commit}:refs/heads/{side}, then run the same command again"
)
_PULL_HINT = "git pull --no-rebase --tags {push.upstream}, and run the same command again"
_ACCESS_HINT = "check access and network with: git push {push.remote}; then run the same command again"
_PERMISSION_HINT = (
    "ask for write access to {push.remote}, or use an account or token that has it, and check: "
    "git push --dry-run {push.remote} HEAD, then run the same command again"
)
_AGAIN = "{push.undo}, then run the same command again"

_MESSAGES = {
    Cause.TAG_EXISTS: _TAG_CONFLICT,
    Cause.OUTDATED: "{push.remote} rejects {ref}: it has commits that this clone lacks ({reason})",
    Cause.SECRET: "{push.remote} finds a secret in what is pushed to {ref}: {why}",
    Cause.SIGNATURE: "{push.remote} wants signatures on {ref}: {why}",
    Cause.SIZE: "{push.remote} has no room for {ref}: {why}",
    Cause.MESSAGE: "{push.remote} does not accept the release commit on {ref}: {why}",
    Cause.RULE: "{push.remote} protects {ref}: {why}",
    Cause.PERMISSION: "{push.remote} does not let this account push {ref}: {why}",
    Cause.AUTHENTICATION: "{push.remote} does not let this account push {ref}: {why}",
    Cause.HOOK: "a hook on {push.remote} declines {ref}: {why}",
    Cause.OTHER: "{push.remote} rejects {ref}: {why}",
}
_HINTS = {
    Cause.TAG_EXISTS: _PULL_HINT,
    Cause.OUTDATED: _PULL_HINT,
    Cause.SECRET: "remove the secret from the commits that are named, and revoke it, or allow it at the address above; "
    "then run the same command again",
    Cause.SIGNATURE: "set a user.signingKey that {push.remote} knows, and sign: "
    f"git config commit.gpgSign true && git config tag.gpgSign true && {_AGAIN}",
    Cause.SIZE: "make room or raise the limit on {push.remote}, then run the same command again",
    Cause.MESSAGE: f"correct release.message or release.signoff in kaizen.toml, or git's user.email, and: {_AGAIN}",
    Cause.RULE: "let this account create the {kind} {ref} in the rules of {push.remote}, or use a token that may, "
    "then run the same command again",
    Cause.PERMISSION: _PERMISSION_HINT,
    Cause.AUTHENTICATION: "check who you are there with: git ls-remote {push.remote}; then run the same command again",
    Cause.HOOK: "fix what it reports, and run the same command again",
    Cause.OTHER: "run the same command again; if it fails again, ask the administrator of the remote",
}
