"""Runs commands alternately and compares what they cost, so that other load on the machine affects all of them."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.results import Number, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from benchmarks.results import Kind, Result

MAXRSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`: getrusage(2)."""


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
class Cost:
    """What a process took, with the processes that it waited for.

    Attributes:
        seconds: wall time.
        cpu_seconds: processor time.
        megabytes: peak resident memory.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float


def measure(contestants: Sequence[Contestant], *, rounds: int, environ: Mapping[str, str]) -> dict[str, Cost]:
    """Return what each contestant costs: the median time, the least processor time, the highest memory.

    Args:
        contestants: run one after the other in every round; the first round does not count.
        rounds: number of measured rounds.
        environ: added to this process's environment.

    Raises:
        RuntimeError: a command failed, so that there is nothing to compare.
    """
    costs: dict[str, list[Cost]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant in contestants:
            folder = contestant.folders[number % len(contestant.folders)]
            cost = run(contestant.argv, folder, {**os.environ, **environ})[1]
            if number:
                costs[contestant.name].append(cost)
    return {name: summary(each) for name, each in costs.items()}


def summary(costs: Sequence[Cost]) -> Cost:
    """Return the median time, the least processor time, and the highest memory of several runs."""
    return Cost(
        seconds=statistics.median(cost.seconds for cost in costs),
        cpu_seconds=min(cost.cpu_seconds for cost in costs),
        megabytes=max(cost.megabytes for cost in costs),
    )


def measure_calls(calls: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the least processor time in seconds that each call takes in this process, called alternately."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            started_at = time.process_time()
            call()
            seconds[name].append(time.process_time() - started_at)
    return {name: min(each) for name, each in seconds.items()}


def run(argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> tuple[str, Cost]:
    """Run a command; return its output, and what it cost.

    Args:
        argv: the command.
        folder: where it runs.
        environ: all variables that it gets.

    Raises:
        RuntimeError: it failed, so that its cost means nothing.
    """
    with tempfile.TemporaryFile() as output:
        started_at = time.perf_counter()
        process = subprocess.Popen(argv, cwd=folder, env=environ, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started_at
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)} exited with {process.returncode}\n{text}")
    megabytes = usage.ru_maxrss * MAXRSS_UNIT_BYTES / 1e6
    return text, Cost(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, megabytes=megabytes)


def compare(
    work: str, costs: Mapping[str, Cost], *, of: str, to: Iterable[str], kind: Kind, goal: float, rounds: int
) -> Result:
    """Divide one contestant's time by the shortest of others.

    Args:
        work: see `Result`.
        costs: what `measure` has returned.
        of: the contestant that has a goal.
        to: the contestants that it is compared with.
        kind: what they are.
        goal: see `Result`.
        rounds: number of measured rounds.
    """
    against = [Number(name, costs[name].seconds, "s") for name in to]
    name = f"the fastest {kind.value}" if len(against) > 1 else against[0].name
    ours = Number(of, costs[of].seconds, "s")
    note = f"median of {rounds}"
    return ratio(work, f"time, times {name}", kind, ours=ours, against=against, goal=goal, note=note)


def inv_path() -> str:
    """Return the path of our `inv`, with compiled modules."""
    compile_modules()
    return str(Path(sysconfig.get_path("scripts")) / "inv")


def compile_modules() -> None:
    """Write the bytecode that pip writes when it installs; uv writes none, and neither does `inv`."""
    for folder in (sysconfig.get_path("purelib"), Path(__file__).parents[1] / "kaizen_tasks"):
        compileall.compile_dir(folder, quiet=2)
