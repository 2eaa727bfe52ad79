"""From flags to what runs: the executor, the locks around it, and the bump that was asked for."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.rollout import Shard
    from kaizen_tasks.flows.runner import Executor
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.wiring import Toolbox


class Asked(NamedTuple):
    """What the flags of a flow ask for.

    Attributes:
        yes: answer every question with yes.
        wait: how long to wait for other runs: `10m`; empty does not wait.
        go_back: whether an environment that does not prove itself gets its last verified release again.
        skip_held: whether leaving out held environments is success.
        shard: which part of the environments; None means all.
        without_evidence: why no evidence is wanted; empty when it is.
    """

    yes: bool
    wait: str
    go_back: bool = True
    skip_held: bool = False
    shard: Shard | None = None
    without_evidence: str = ""

    @property
    def again(self) -> tuple[str, ...]:
        """The flags that a command which continues has to repeat."""
        shard = ("--shard", str(self.shard)) if self.shard else ()
        waiver = ("--without-evidence", self.without_evidence) if self.without_evidence else ()
        skip = ("--skip-held",) if self.skip_held else ()
        stay = () if self.go_back else ("--no-rollback",)
        return (*shard, *waiver, *skip, *stay)


def executor(tools: Toolbox) -> Executor:
    """Return what happens when a step has decided to act: under `inv --dry`, nothing."""
    from kaizen_tasks.flows.runner import display, perform

    return display if tools.dry else perform


@contextmanager
def alone(
    environments: Sequence[Environment], tools: Toolbox, *, wait: str = "", evidence: Sequence[Environment] = ()
) -> Iterator[Executor]:
    """Hold the environments' locks, and give the executor that acts only while they are held.

    Args:
        environments: which.
        tools: the outside world; a dry run takes no lock.
        wait: how long to wait for other runs: `10m`; empty does not wait.
        evidence: environments whose proofs every one of the others asks for; a proof that is there stays there.

    Raises:
        Locked: somebody else is at work there.
        UsageError: `wait` is not a length of time.
        Interrupted: in place of a refusal, once something has been changed.
    """
    from kaizen_tasks.flows.locking.session import holding
    from kaizen_tasks.flows.runner import display, fenced

    if tools.dry:
        yield display
        return
    names = [environment.name for environment in environments]
    typed = shlex.join(("inv", *sys.argv[1:]))
    read = [environment.name for environment in (*environments, *evidence)]
    locks = holding(names, tools, command=typed, wait=_seconds(wait))
    with locks as fence, tools.recollecting(read), fence.trace.telling():
        yield fenced(fence)


def _seconds(wait: str) -> float:
    from kaizen_tasks.domain import duration
    from kaizen_tasks.errors import UsageError

    try:
        return duration.parse(wait) if wait else 0
    except ValueError as error:
        raise UsageError(f"--wait {wait}: {error}") from None


def bump(part: str, to: str, *, force: bool, settled: bool = True, hotfix: bool = False) -> Bump:
    """Return the bump that `--part`, `--to` and `--force` ask for.

    Args:
        part: as typed.
        to: as typed, or empty.
        force: whether the part may be lower than the notes ask for.
        settled: see `Bump`.
        hotfix: see `Bump`.

    Raises:
        UsageError: no such part, or not a version.
    """
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.flows.steps import Bump

    wanted = versions.parse(to, where="--to") if to else None
    return Bump(part=versions.parse_part(part), to=wanted, settled=settled, force=force, hotfix=hotfix)
