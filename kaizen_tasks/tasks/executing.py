"""From flags to what runs: the executor, and the bump that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.flows.runner import Executor
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.wiring import Toolbox


def executor(tools: Toolbox) -> Executor:
    """Return what happens when a step has decided to act: under `inv --dry`, nothing."""
    from kaizen_tasks.flows.runner import display, perform

    return display if tools.dry else perform


def bump(part: str, to: str, *, force: bool, settled: bool = True) -> Bump:
    """Return the bump that `--part`, `--to` and `--force` ask for.

    Args:
        part: as typed.
        to: as typed, or empty.
        force: whether the part may be lower than the notes ask for.
        settled: see `Bump`.

    Raises:
        UsageError: no such part, or not a version.
    """
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.flows.steps import Bump

    wanted = versions.parse(to, where="--to") if to else None
    return Bump(part=versions.parse_part(part), to=wanted, settled=settled, force=force)
