"""Runs commands alternately and compares their medians, so that whatever else the machine does hits both."""

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


@frozen(kw_only=True)
class Contestant:
    """A command and where it runs.

    Attributes:
        name: for the report.
        argv: the command.
        folders: where each round runs, in turn; one that changes its folder needs a fresh one for every round.
    """

    name: str
    argv: tuple[str, ...]
    folders: tuple[Path, ...]


@frozen(kw_only=True)
class Result:
    """What was measured, against what was promised.

    Attributes:
        what: the thing that was measured, and what it is compared with.
        ratio: how many times the other one it took.
        target: the highest ratio that keeps the promise.
        numbers: what the ratio was made of.
    """

    what: str
    ratio: float
    target: float
    numbers: str

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio <= self.target

    def __str__(self) -> str:
        verdict = "ok" if self.met else "MISSED"
        return f"{self.what}: {self.ratio:.2f} (target {self.target:.2f}; {self.numbers}) {verdict}"


def report(results: Iterable[Result]) -> int:
    """Print one line for each result as it comes; return an exit code, 1 when any target is missed."""
    missed = False
    for result in results:
        print(result, flush=True)
        missed |= not result.met
    return int(missed)


def compared(
    what: str, taken: Mapping[str, float], *, of: str, to: Iterable[str], target: float, rounds: int
) -> Result:
    """Relate one contestant's median to the fastest of others.

    Args:
        what: see `Result`.
        taken: median seconds by contestant.
        of: the contestant that promises something.
        to: the contestants that it is held against.
        target: see `Result`.
        rounds: of the measurement.
    """
    fastest = min(taken[name] for name in to)
    shown = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in taken.items())
    return Result(what=what, ratio=taken[of] / fastest, target=target, numbers=f"{shown}; median of {rounds}")


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
            seconds = _seconds(each.argv, each.folders[number % len(each.folders)], {**os.environ, **environ})
            if number:
                times[each.name].append(seconds)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _seconds(argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def inv() -> str:
    """Return our `inv`, compiled."""
    compile_ours()
    return str(Path(sysconfig.get_path("scripts")) / "inv")


def compile_ours() -> None:
    """Write the bytecode that an installation by pip would have made; uv compiles nothing, and `inv` writes none."""
    for folder in (sysconfig.get_path("purelib"), Path(__file__).parents[1] / "kaizen_tasks"):
        compileall.compile_dir(folder, quiet=2)
