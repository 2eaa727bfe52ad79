"""Reads the refs of a remote: a branch, the tags, and the claims of release numbers."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from kaizen_tasks.adapters.git.command import Git, GitResult
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.types import RemoteRefs

LS_REMOTE_TIMEOUT_SECONDS = 30.0
TAG_PREFIX = "refs/tags/"
CLAIM_PREFIXES = ("refs/kaizen/release/", "refs/heads/kaizen/release/")
ABANDONED_PREFIXES = ("refs/kaizen/abandoned/", "refs/heads/kaizen/abandoned/")
"""Where claims and abandoned numbers are: the second is for remotes that accept only branches and tags."""

_PATTERNS = (f"{TAG_PREFIX}*", *(f"{prefix}*" for prefix in (*CLAIM_PREFIXES, *ABANDONED_PREFIXES)))


@frozen(kw_only=True)
class Remote:
    """The remote of a repository, with its refs as they were read last.

    Attributes:
        git: the repository.
        name: the remote's name.
        refs: the commits of its refs.
        atomic: whether it accepts several refs in one push, all or nothing.
    """

    git: Git
    name: str
    refs: Mapping[str, str]
    atomic: bool


def ls_remote(git: Git, remote: str, branch: str) -> Mapping[str, str] | None:
    """Return the commits of a branch, all tags and all claims of a remote by ref; None without such a remote.

    Raises:
        Unreachable: the remote cannot be read, or does not answer within 30 s.
    """
    if not git.remote_url(remote):
        return None
    patterns = [f"refs/heads/{branch}"] if branch else []
    argv = ("ls-remote", "--end-of-options", remote, *patterns, *_PATTERNS)
    result = run_network_command(git, *argv, timeout=LS_REMOTE_TIMEOUT_SECONDS)
    if not result.ok:
        reason = f"no answer within {LS_REMOTE_TIMEOUT_SECONDS:g}s" if timed_out(result) else result.reason
        raise Unreachable(f"the remote {remote} cannot be read: {reason}", hint=f"git ls-remote {remote}")
    return _parse_refs(result)


def sort_refs(refs: Mapping[str, str], branch: str) -> RemoteRefs:
    """Return the refs of a remote by their meaning."""
    return RemoteRefs(
        branch_commit=refs.get(f"refs/heads/{branch}", ""),
        tags=commits_by_tag(refs, TAG_PREFIX),
        claims=commits_by_tag(refs, *CLAIM_PREFIXES),
        abandoned=commits_by_tag(refs, *ABANDONED_PREFIXES),
    )


def commits_by_tag(refs: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """Return the commits of the refs below some prefixes, by what follows the prefix."""
    pairs = ((ref, commit, prefix) for prefix in prefixes for ref, commit in refs.items() if ref.startswith(prefix))
    return {ref.removeprefix(prefix): commit for ref, commit, prefix in pairs}


def claim_refs(refs: Mapping[str, str], tag: str) -> dict[str, str]:
    """Return the refs of the claim for a tag, with their commits."""
    return {ref: refs[ref] for ref in (f"{prefix}{tag}" for prefix in CLAIM_PREFIXES) if ref in refs}


def _parse_refs(result: GitResult) -> dict[str, str]:
    """Return hashes by ref; for an annotated tag, that of its commit, from the line `ref^{}` after the tag's line."""
    lines = (line.partition("\t") for line in result.text.splitlines())
    return {ref.removesuffix("^{}"): commit for commit, _, ref in lines}
