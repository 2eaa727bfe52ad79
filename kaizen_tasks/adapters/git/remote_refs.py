"""Reads the refs of a remote: a branch, the tags, and the claims of release numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce

from attrs import evolve, field, frozen

from kaizen_tasks.adapters.git.command import Git, GitResult, redact_urls
from kaizen_tasks.adapters.git.network import run_network_command, timed_out
from kaizen_tasks.domain.git.remote_refs import RemoteRefs
from kaizen_tasks.errors import Unreachable

LS_REMOTE_TIMEOUT_SECONDS = 30.0
BRANCH_PREFIX, TAG_PREFIX = "refs/heads/", "refs/tags/"
CLAIM_PREFIXES = ("refs/kaizen/release/", "refs/heads/kaizen/release/")
ABANDONED_PREFIXES = ("refs/kaizen/abandoned/", "refs/heads/kaizen/abandoned/")
"""Where claims and abandoned numbers are: the second is for remotes that accept only branches and tags."""

_URL_REMOTE = "kaizen-push-url"
_PATTERNS = (f"{TAG_PREFIX}*", *(f"{prefix}*" for prefix in (*CLAIM_PREFIXES, *ABANDONED_PREFIXES)))


@frozen(kw_only=True)
class Remote:
    """One repository that releases are pushed to, with its refs as they were read last.

    Attributes:
        git: the repository of this clone.
        name: the remote's name or, of one that pushes to several URLs, the URL; what messages and commands call it.
        address: the remote that git reads from; one of `env` where it is pushed to another URL.
        push_address: the remote that git pushes to; of the remote itself, the remote-tracking branches here follow.
        env: variables that define the remotes which are not in git's configuration: URLs may contain passwords, and
            other users see the arguments of a process.
        refs: the commits of its refs.
        atomic: whether it accepts several refs in one push, all or nothing.
    """

    git: Git
    name: str
    address: str
    push_address: str
    env: Mapping[str, str] = field(factory=dict, repr=False)
    refs: Mapping[str, str] = field(factory=dict)
    atomic: bool = True


def find_remotes(git: Git, name: str, *, atomic: bool) -> tuple[Remote, ...]:
    """Return the repositories that a remote of this name is pushed to; git pushes to every push URL, in order."""
    urls = git.config.push_urls(name)
    if urls == (git.config.fetch_url(name),):
        return (Remote(git=git, name=name, address=name, push_address=name, atomic=atomic),)
    remote = Remote(git=git, name=name, address=_URL_REMOTE, push_address=name, atomic=atomic)
    if len(urls) == 1:
        return (evolve(remote, env=_url_variables(urls[0])),)
    return tuple(
        evolve(remote, name=redact_urls(url), push_address=_URL_REMOTE, env=_url_variables(url)) for url in urls
    )


def _url_variables(url: str) -> dict[str, str]:
    """Return the variables that give a URL the name `_URL_REMOTE`, beside those that this process has.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    index = int(count) if count.isdecimal() else 0
    return {
        "GIT_CONFIG_COUNT": str(index + 1),
        f"GIT_CONFIG_KEY_{index}": f"remote.{_URL_REMOTE}.url",
        f"GIT_CONFIG_VALUE_{index}": url,
    }


def read_refs(remote: Remote, branch: str) -> Remote:
    """Return the remote with the commits of a branch, all tags and all claims.

    Raises:
        Unreachable: the remote cannot be read, or does not answer within 30 s.
    """
    patterns = [f"refs/heads/{branch}"] if branch else []
    argv = ("ls-remote", "--end-of-options", remote.address, *patterns, *_PATTERNS)
    result = run_network_command(remote.git, *argv, timeout=LS_REMOTE_TIMEOUT_SECONDS, env=remote.env)
    if not result.ok:
        reason = f"no answer within {LS_REMOTE_TIMEOUT_SECONDS:g}s" if timed_out(result) else result.reason
        message = f"the remote {remote.name} cannot be read: {reason}"
        raise Unreachable(message, hint=f"git ls-remote {remote.name}")
    return evolve(remote, refs=_parse_refs(result))


def merge_refs(remotes: Sequence[Remote], local_commits: Callable[[str], str]) -> Mapping[str, str]:
    """Return the refs of several repositories that are pushed to as one; claims are only in the first.

    A tag that some of them lack is missing if it is this clone's own, which is pushed again; else its number is taken.
    A branch is where the one is that lacks most or, before a push, where one is that has commits of others.

    Args:
        remotes: the repositories; at least one.
        local_commits: returns the commit of a tag of this clone, published or not, or an empty string.
    """
    first, *others = remotes
    refs = dict(first.refs)
    for ref in {ref for remote in remotes for ref in remote.refs} if others else ():
        commits = {remote.refs.get(ref, "") for remote in remotes}
        if ref.startswith(TAG_PREFIX) and len(commits) > 1:
            foreign_commits = commits - {"", local_commits(ref)}
            refs[ref] = min(foreign_commits, default="")
        elif ref.startswith(BRANCH_PREFIX) and not ref.startswith((*CLAIM_PREFIXES, *ABANDONED_PREFIXES)):
            refs[ref] = _last_of_all(first.git, commits)
    return {ref: commit for ref, commit in refs.items() if commit}


def _last_of_all(git: Git, commits: Collection[str]) -> str:
    """Return the commit from which all descend; one that is unknown here, if there is one; empty if a branch lacks."""
    unknown = [commit for commit in commits if commit and not git.resolve_commit(commit)]
    if unknown or "" in commits:
        return min(unknown, default="")
    return reduce(lambda first, second: first if git.is_ancestor(first, second) else second, sorted(commits))


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
