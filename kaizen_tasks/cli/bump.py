"""The bump that flags ask for."""

from __future__ import annotations

from kaizen_tasks.cli import params
from kaizen_tasks.domain import version as versions
from kaizen_tasks.flows.steps.bump import Bump


def parse_bump(part: str, to: str, *, force: bool, accept_released: bool = True, hotfix: bool = False) -> Bump:
    """Return the bump that `--part`, `--to` and `--force` ask for.

    Args:
        part: the value of `--part`.
        to: the value of `--to`, or empty.
        force: whether the part may be lower than the release notes require.
        accept_released: see `Bump`.
        hotfix: see `Bump`.

    Raises:
        UsageError: there is no such part, or it is not a version.
    """
    return Bump(
        part=versions.parse_part(part),
        to=params.parse_release(to, flag="--to"),
        accept_released=accept_released,
        force=force,
        hotfix=hotfix,
    )
