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


class FlowOptions(NamedTuple):
    """What the flags of a flow ask for.

    Attributes:
        yes: answer every question with yes.
        wait: how long to wait for other runs: `10m`; empty does not wait.
        auto_rollback: whether an environment that does not prove itself gets its last verified release again.
        skip_held: whether leaving out held environments is success.
        shard: which part of the environments; None means all.
        without_evidence: why no evidence is wanted; empty when it is.
    """

    yes: bool
    wait: str
    auto_rollback: bool = True
    skip_held: bool = False
    shard: Shard | None = None
    without_evidence: str = ""

    @property
    def repeated_flags(self) -> tuple[str, ...]:
        """The flags that a command which continues has to repeat."""
        shard = ("--shard", str(self.shard)) if self.shard else ()
        waiver = ("--without-evidence", self.without_evidence) if self.without_evidence else ()
        skip = ("--skip-held",) if self.skip_held else ()
        no_rollback = () if self.auto_rollback else ("--no-rollback",)
        return (*shard, *waiver, *skip, *no_rollback)


def choose_executor(tools: Toolbox) -> Executor:
    """Return what happens when a step has decided to act: under `inv --dry`, nothing."""
    from kaizen_tasks.flows.runner import apply_step, dry_run_step

    return dry_run_step if tools.dry else apply_step


@contextmanager
def locked_execution(
    environments: Sequence[Environment],
    tools: Toolbox,
    *,
    wait: str = "",
    evidence_environments: Sequence[Environment] = (),
) -> Iterator[Executor]:
    """Hold the environments' locks, and give the executor that acts only while they are held.

    Args:
        environments: which.
        tools: the outside world; a dry run takes no lock.
        wait: how long to wait for other runs: `10m`; empty does not wait.
        evidence_environments: environments whose proofs every one of the others asks for; a proof that is there stays there.

    Raises:
        Locked: somebody else is at work there.
        UsageError: `wait` is not a length of time.
        Interrupted: in place of a refusal, once something has been changed.
    """
    from kaizen_tasks.flows.locking.session import acquire_locks
    from kaizen_tasks.flows.runner import dry_run_step, guarded_executor

    if tools.dry:
        yield dry_run_step
        return
    names = [environment.name for environment in environments]
    command_line = shlex.join(("inv", *sys.argv[1:]))
    cached_environments = [environment.name for environment in (*environments, *evidence_environments)]
    locks = acquire_locks(names, tools, command=command_line, wait=_parse_wait(wait))
    with locks as guard, tools.caching_ledger(cached_environments), guard.mutations.reclassify_errors():
        yield guarded_executor(guard)


def _parse_wait(wait: str) -> float:
    from kaizen_tasks.domain import duration
    from kaizen_tasks.errors import UsageError

    try:
        return duration.parse_duration(wait) if wait else 0
    except ValueError as error:
        raise UsageError(f"--wait {wait}: {error}") from None


def make_bump(part: str, to: str, *, force: bool, settled: bool = True, hotfix: bool = False) -> Bump:
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

    version = versions.parse_version(to, origin="--to") if to else None
    return Bump(part=versions.parse_part(part), to=version, accept_released=settled, force=force, hotfix=hotfix)
