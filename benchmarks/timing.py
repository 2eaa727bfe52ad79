"""Runs commands alternately and compares their medians, so that other load on the machine affects all of them."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MISSED_TARGET = 1
NOT_MEASURED = 3
"""Exit codes."""


@frozen(kw_only=True)
class Contestant:
    """A command and its folders.

    Attributes:
        name: for the report.
        argv: the command.
        folders: the folder of each round, in turn; a command that changes its folder needs a new one in every round.
    """

    name: str
    argv: tuple[str, ...]
    folders: tuple[Path, ...]


@frozen(kw_only=True)
class Result:
    """A measured ratio and its target.

    Attributes:
        what: what was measured, and what it is divided by.
        ratio: the measured ratio.
        target: the highest ratio that is acceptable.
        numbers: what the ratio was made of.
    """

    what: str
    ratio: float
    target: float
    numbers: str

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target

    def __str__(self) -> str:
        verdict = "ok" if self.is_met else "MISSED"
        return f"{self.what}: {self.ratio:.2f} (target {self.target:.2f}; {self.numbers}) {verdict}"


def report(results: Iterable[Result]) -> int:
    """Print one line for each result as it comes; return 1 if any target was missed, else 0."""
    code = 0
    for result in results:
        print(result, flush=True)
        if not result.is_met:
            code = MISSED_TARGET
    return code


def report_not_measured(what: str, reason: str) -> int:
    """Print one line about a benchmark that cannot run here, and return its exit code."""
    print(f"{what}: not measured: {reason}", flush=True)
    return NOT_MEASURED


def compare(
    what: str, seconds: Mapping[str, float], *, of: str, to: Iterable[str], target: float, rounds: int
) -> Result:
    """Divide one contestant's median by the lowest of others.

    Args:
        what: see `Result`.
        seconds: median seconds by contestant.
        of: the contestant that has a target.
        to: the contestants that it is compared with.
        target: see `Result`.
        rounds: number of measured rounds.
    """
    lowest = min(seconds[name] for name in to)
    medians = ", ".join(f"{name} {median * 1000:.0f} ms" for name, median in seconds.items())
    return Result(what=what, ratio=seconds[of] / lowest, target=target, numbers=f"{medians}; median of {rounds}")


def median_seconds(contestants: Sequence[Contestant], *, rounds: int, environ: Mapping[str, str]) -> dict[str, float]:
    """Return the median wall time of each contestant, after one round that does not count.

    Args:
        contestants: run one after the other in every round.
        rounds: number of measured rounds.
        environ: added to this process's environment.

    Raises:
        subprocess.CalledProcessError: a command failed, so that there is nothing to compare.
    """
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant in contestants:
            folder = contestant.folders[number % len(contestant.folders)]
            seconds = _run_timed(contestant.argv, folder, {**os.environ, **environ})
            if number:
                times[contestant.name].append(seconds)
    return {name: statistics.median(measured) for name, measured in times.items()}


def _run_timed(argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    started_at = time.perf_counter()
    subprocess.run(argv, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started_at


def inv_path() -> str:
    """Return the path of our `inv`, with compiled modules."""
    compile_modules()
    return str(Path(sysconfig.get_path("scripts")) / "inv")


def compile_modules() -> None:
    """Write the bytecode that pip writes when it installs; uv writes none, and neither does `inv`."""
    for folder in (sysconfig.get_path("purelib"), Path(__file__).parents[1] / "kaizen_tasks"):
        compileall.compile_dir(folder, quiet=2)
