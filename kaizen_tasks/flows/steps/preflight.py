"""Everything that would stop a release, collected before the first write."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.plan import Done, Refuse
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kaizen_tasks.domain.plan import Decision
    from kaizen_tasks.ports import Head, Tools


@frozen(kw_only=True)
class Preflight:
    """Collect every obstacle, on the remote truth and not on stale refs.

    Attributes:
        environments: also check what deployments there need; without any, the release side alone is checked.
        push: whether the remote is asked.
    """

    environments: tuple[Environment, ...] = ()
    push: bool = True
    label = Label("preflight")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look everywhere; refuse with the whole list."""
        why = tuple(self._obstacles(tools))
        if why:
            return Refuse(why=why, hint="mend these, then type the same command again; nothing has been changed")
        return Done("nothing stands in the way", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: an obstacle is there or not."""
        return release

    def _obstacles(self, tools: Tools) -> Iterator[str]:
        head = tools.scm.head()
        yield from tools.scm.obstacles()
        yield from _wrong_branch(head, tools)
        yield from _uncommitted(tools)
        if self.push:
            yield from _behind(head, tools)
        if self.environments:
            yield from _unready(self.environments, tools)


def _wrong_branch(head: Head, tools: Tools) -> Iterator[str]:
    allowed = tools.settings.release.branches
    if not head.branch:
        yield "HEAD is detached: check out a branch"
    elif not any(fnmatch.fnmatchcase(head.branch, pattern) for pattern in allowed):
        yield f"the branch {head.branch} is not released from (release.branches: {', '.join(allowed)})"


def _uncommitted(tools: Tools) -> Iterator[str]:
    files = [name for name in tools.scm.modified() if name not in documents.RELEASED]
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        yield f"uncommitted changes would not be in the release: {', '.join(files[:3])}{more}"


def _behind(head: Head, tools: Tools) -> Iterator[str]:
    if not head.branch:
        return
    name = tools.settings.release.remote
    try:
        remote = tools.scm.remote(head.branch)
    except KaizenError as error:
        yield error.what
        return
    if remote is not None and remote.branch and not tools.scm.is_ancestor(remote.branch, head.commit):
        yield f"{name}/{head.branch} has commits that are not here: git pull"


def _unready(environments: tuple[Environment, ...], tools: Tools) -> Iterator[str]:
    """Ask for each thing that a deployment needs; the account first, since nothing is read from a wrong one."""
    account = _complaint(tools.identity.account)
    if account:
        yield account
        return
    for environment in environments:
        yield from _unready_environment(environment, tools)


def _unready_environment(environment: Environment, tools: Tools) -> Iterator[str]:
    looks: tuple[Callable[[], object], ...] = (
        lambda: tools.registry.address(environment.repository),
        lambda: tools.platform.service(environment.service),
        lambda: tools.ledger.entries(environment.name, limit=1),
    )
    yield from filter(None, map(_complaint, looks))


def _complaint(look: Callable[[], object]) -> str:
    try:
        look()
    except KaizenError as error:
        return f"{error.what} ({error.hint})" if error.hint else error.what
    return ""
