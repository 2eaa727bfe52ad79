"""Runs commands alternately and compares their medians, so that whatever else the machine does hits both."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen(kw_only=True)
class Contestant:
    """A command in a folder.

    Attributes:
        name: for the report.
        argv: the command.
        folder: where it runs.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path


def medians(contestants: Sequence[Contestant], *, rounds: int, environ: Mapping[str, str]) -> dict[str, float]:
    """Return the median wall time of each command in seconds, after one unmeasured round.

    Args:
        contestants: run one after the other in every round.
        rounds: measured rounds.
        environ: added to this process's environment.

    Raises:
        subprocess.CalledProcessError: a command failed, so that there is nothing to compare.
    """
    times: dict[str, list[float]] = {each.name: [] for each in contestants}
    for number in range(rounds + 1):
        for each in contestants:
            began = time.perf_counter()
            subprocess.run(
                each.argv, cwd=each.folder, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, check=True
            )
            if number:
                times[each.name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}
