"""Claims of release numbers: refs on the remote that move only from the value that was read last."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import evolve, frozen

from kaizen_tasks.adapters.git.command import GitResult
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.adapters.git.push import (
    PUSH_TIMEOUT_SECONDS,
    Push,
    claim_error,
    is_rejected,
    push_error,
    undo_command,
)
from kaizen_tasks.adapters.git.remote_refs import (
    ABANDONED_PREFIXES,
    CLAIM_PREFIXES,
    Remote,
    claim_refs,
    commits_by_tag,
    read_refs,
)
from kaizen_tasks.errors import PushFailed, Refused, Unreachable

FETCH_TIMEOUT_SECONDS = 600.0


@frozen(kw_only=True)
class RefChange:
    """A change of one ref on the remote; an empty hash means that there is no such ref."""

    ref: str
    old: str
    new: str


def claim(remote: Remote, tag: str, commit: str, *, abandons: Iterable[str], drops: Iterable[str]) -> None:
    """Claim a release's number.

    Args:
        remote: the remote; the claim fails if one of the refs to change is not as it was read last.
        tag: the tag that the release will get.
        commit: the release commit.
        abandons: the tags of claims to turn into abandoned numbers.
        drops: the tags of claims to delete.

    Raises:
        Refused: somebody else was faster.
        PushFailed: the remote accepts neither a private ref nor a branch.
    """
    claims = commits_by_tag(remote.refs, *CLAIM_PREFIXES)
    deletions = tuple(change for other in drops for change in _deletions(remote, other))
    for claim_prefix, abandoned_prefix in _usable_prefixes(remote):
        ends = (change for other in abandons for change in _end(remote, other, abandoned_prefix, claims[other]))
        result, _ = _push_changes(remote, (*_move(remote, tag, claim_prefix, commit), *deletions, *ends))
        if result.ok:
            return
        holder = commits_by_tag(read_refs(remote, "").refs, *CLAIM_PREFIXES).get(tag, "")
        if holder == commit:
            return
        if holder not in {"", claims.get(tag, "")}:
            raise Refused(f"somebody else has just claimed {tag} on {remote.name}, for {holder[:10]}")
        if not is_rejected(result):
            break
    raise claim_error(_push(remote, f"the claim of {tag}", tag, commit), result)


def abandon(remote: Remote, tag: str, commit: str) -> None:
    """Delete the claim of a number, and create the ref that keeps it from being used again.

    Raises:
        PushFailed: the remote rejects the change.
    """
    done: tuple[str, ...] = ()
    for _, abandoned_prefix in _usable_prefixes(remote):
        result, refs = _push_changes(remote, _end(remote, tag, abandoned_prefix, commit))
        if result.ok:
            return
        done += refs
        if not is_rejected(result):
            break
    raise claim_error(evolve(_push(remote, f"the end of {tag}", tag, commit), done=done), result)


def _push(remote: Remote, what: str, tag: str, commit: str) -> Push:
    """Return the push of a private ref as its error describes it."""
    return Push(remote=remote.name, branch="", tag=what, commit=commit, undo=undo_command(tag))


def replace_branch(remote: Remote, branch: str, commit: str, *, expected: str) -> None:
    """Let a branch end at another commit if it ends at the expected one, or does not exist if that is empty.

    Raises:
        Refused: somebody else was faster.
        PushFailed: the remote rejects the change.
    """
    result, _ = _push_changes(remote, (RefChange(ref=f"refs/heads/{branch}", old=expected, new=commit),))
    if "stale info" in result.text:
        message = f"somebody else has just pushed to {branch} on {remote.name}"
        raise Refused(message, state="nothing has been pushed", hint="run the same command again")
    if not result.ok:
        error = push_error(Push(remote=remote.name, branch="", tag=branch, commit=commit), result)
        hint = f"let whoever proposes releases push to {branch}"
        raise PushFailed(error.message, state=error.state, hint=hint, output=error.output)


def withdraw(remote: Remote, tag: str) -> None:
    """Delete the claim of a number, unless somebody else has changed it since it was read.

    Raises:
        PushFailed: the remote rejects the change.
    """
    result, _ = _push_changes(remote, _deletions(remote, tag))
    if not result.ok:
        raise push_error(Push(remote=remote.name, branch="", tag=f"the end of {tag}", commit=""), result)


def fetch(remote: Remote, refs: Collection[str], *, is_tracked: bool = False) -> None:
    """Fetch refs of the remote.

    Args:
        remote: the remote.
        refs: their names or, to write the refs of this clone too, refspecs.
        is_tracked: whether the remote-tracking refs of this clone follow; else no ref changes.

    Raises:
        Unreachable: the remote does not send them.
    """
    result = run_network_command(
        remote.git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *([] if is_tracked else ["--refmap="]),
        "--recurse-submodules=no", "--end-of-options", remote.address, *refs,
        timeout=FETCH_TIMEOUT_SECONDS,
        env=remote.env,
    )  # fmt: skip
    if not result.ok:
        reason = f"no answer within {FETCH_TIMEOUT_SECONDS:g}s" if timed_out(result) else result.reason
        hint = f"git fetch {remote.name} {' '.join(refs)}"
        raise Unreachable(f"{remote.name} does not send {', '.join(refs)}: {reason}", hint=hint)


def _usable_prefixes(remote: Remote) -> tuple[tuple[str, str], ...]:
    """Return the prefixes to try; only those of branches if the remote has refused others before."""
    pairs = tuple(zip(CLAIM_PREFIXES, ABANDONED_PREFIXES, strict=True))
    uses_branches = any(ref.startswith(pairs[1]) for ref in remote.refs)
    return pairs[1:] if uses_branches else pairs


def _move(remote: Remote, tag: str, prefix: str, commit: str) -> tuple[RefChange, ...]:
    """Return the changes after which one ref below a prefix, and no other, holds the claim of a tag."""
    ref = f"{prefix}{tag}"
    others = tuple(deletion for deletion in _deletions(remote, tag) if deletion.ref != ref)
    return (RefChange(ref=ref, old=remote.refs.get(ref, ""), new=commit), *others)


def _deletions(remote: Remote, tag: str) -> tuple[RefChange, ...]:
    return tuple(RefChange(ref=ref, old=commit, new="") for ref, commit in claim_refs(remote.refs, tag).items())


def _end(remote: Remote, tag: str, prefix: str, commit: str) -> tuple[RefChange, ...]:
    """Return the changes that turn the claim of a tag into an abandoned number."""
    ref = f"{prefix}{tag}"
    return (RefChange(ref=ref, old=remote.refs.get(ref, ""), new=commit), *_deletions(remote, tag))


def _push_changes(remote: Remote, changes: tuple[RefChange, ...]) -> tuple[GitResult, tuple[str, ...]]:
    """Push changes of refs, each only from its old value: all or nothing, or in order where that is not possible.

    Return the last result, and the refs that had been created or moved before one failed.
    """
    result, done = GitResult(status=0, out=b"", err=""), list[str]()
    for batch in [changes] if remote.atomic else [(change,) for change in changes]:
        result = run_network_command(
            remote.git, "push", "--porcelain", "--no-progress", "--atomic" if remote.atomic else "--no-atomic",
            "--no-follow-tags", "--recurse-submodules=no",
            *(f"--force-with-lease={change.ref}:{change.old}" for change in batch),
            "--end-of-options", remote.push_address, *(f"{change.new}:{change.ref}" for change in batch),
            timeout=PUSH_TIMEOUT_SECONDS,
            env=remote.env,
        )  # fmt: skip
        if not result.ok:
            break
        done += [change.ref for change in batch if change.new]
    return result, tuple(done)
