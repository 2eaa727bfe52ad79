"""Where releases are pushed: the remote and its branch, from the configuration of git."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from kaizen_tasks.errors import NOTHING_CHANGED, Refused

_FOLLOWS_UPSTREAM = {"upstream", "tracking"}
"""Values of `push.default` with which git itself pushes to a branch of another name."""


@frozen(kw_only=True)
class PushTarget:
    """A remote and a branch on it.

    Attributes:
        remote: the remote's name; empty when there is none.
        branch: the branch's short name on the remote; empty when HEAD is detached.
    """

    remote: str
    branch: str

    def __str__(self) -> str:
        """Return remote and branch as git prints them: `origin/main`."""
        return f"{self.remote}/{self.branch}"

    @property
    def pull_command(self) -> str:
        """The command that merges the branch and fetches all tags."""
        return f"git pull --no-rebase --tags {self.remote} {self.branch}".rstrip()


def choose_remote(remotes: Collection[str], *, configured: str, branch: str, values: Mapping[str, str]) -> str:
    """Return the name of the remote that releases are pushed to, or an empty string when there is no remote.

    Args:
        remotes: the names of the remotes.
        configured: `release.remote`; empty for the only remote or, of several, the one that the branch tracks.
        branch: the branch that is checked out; empty when HEAD is detached.
        values: the values of git's configuration, by name; section and key are in lower case.

    Raises:
        Refused: there is no such remote, or none of several is the branch's.
    """
    tracked = values.get(f"branch.{branch}.remote", "")
    if configured in remotes:
        return configured
    if configured:
        raise _missing_error(configured, remotes)
    if not remotes:
        if tracked not in {"", "."}:
            raise _unnamed_error(branch)
        return ""
    if len(remotes) == 1:
        return next(iter(remotes))
    push_remote = values.get(f"branch.{branch}.pushremote") or values.get("remote.pushdefault", "")
    choices = {tracked, push_remote} & {*remotes}
    if len(choices) != 1:
        raise _unclear_remote_error(remotes, choices, branch)
    return choices.pop()


def choose_branch(remote: str, *, branch: str, local_branches: Collection[str], values: Mapping[str, str]) -> str:
    """Return the short name of the branch on the remote: the one that the branch tracks, else that of the same name.

    Args:
        remote: the name of the remote; empty when there is none.
        branch: the branch that is checked out; empty when HEAD is detached.
        local_branches: the short names of the branches of this clone.
        values: the values of git's configuration, by name; section and key are in lower case.

    Raises:
        Refused: the branch tracks one of another name, which may be only the one that it was created from.
    """
    tracked = values.get(f"branch.{branch}.merge", "").removeprefix("refs/heads/")
    if not tracked or tracked == branch or values.get(f"branch.{branch}.remote") != remote:
        return branch
    push_default = values.get("push.default", "")
    if push_default in _FOLLOWS_UPSTREAM:
        return tracked
    if tracked in local_branches or push_default == "current":
        raise _unclear_branch_error(PushTarget(remote=remote, branch=tracked), branch)
    return tracked


def _missing_error(configured: str, remotes: Collection[str]) -> Refused:
    choices = f", only {_listing(remotes)}" if remotes else ""
    add = f"git remote add {configured} URL"
    fix = f'correct release.remote in kaizen.toml: [release] remote = "{min(remotes)}"; or {add}' if remotes else add
    message = f"there is no remote {configured}, which release.remote names{choices}"
    return Refused(message, state=NOTHING_CHANGED, hint=fix)


def _unnamed_error(branch: str) -> Refused:
    return Refused(
        f"{branch} tracks a repository that is not among the remotes",
        state=NOTHING_CHANGED,
        hint="git remote add origin URL, and run the same command again",
    )


def _unclear_remote_error(remotes: Collection[str], choices: Collection[str], branch: str) -> Refused:
    name, names = branch or "HEAD", choices or remotes
    example = "origin" if "origin" in names else min(names)
    reason = f"tracks one of {_listing(choices)} and pushes to the other" if choices else "tracks none of them"
    return Refused(
        f"there are several remotes, {_listing(remotes)}, and {name} {reason}",
        state=NOTHING_CHANGED,
        hint=f'name the one that releases go to, by release.remote in kaizen.toml: [release] remote = "{example}"',
    )


def _unclear_branch_error(target: PushTarget, branch: str) -> Refused:
    return Refused(
        f"{branch} tracks {target}, a branch of another name, which may be only where it began",
        state=NOTHING_CHANGED,
        hint=f"to push to {target}: git config push.default upstream; "
        f"to push to {target.remote}/{branch}: git branch --unset-upstream {branch}",
    )


def _listing(names: Collection[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}" if first else last
