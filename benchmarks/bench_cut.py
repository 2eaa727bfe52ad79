"""A whole release of a library (version, changelog, commit, tag; no push), compared with other release tools.

Whole processes on identical repositories, each tool in a virtual environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks import libraries
from benchmarks.results import Kind, NotMeasured, Number, count, ratio
from benchmarks.timing import Contestant, compare, inv_path, measure, run
from tests.support.git_trace import traced_commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.results import Result, Row
    from benchmarks.timing import Cost

ROUNDS = 15
OURS, FLOOR = "inv cut", "invoke --version"
PEERS = {
    "bump-my-version": ("bump-my-version", "bump", "patch"),
    "commitizen": ("cz", "bump", "--yes", "--increment", "PATCH"),
    "python-semantic-release": (
        "semantic-release", "--config", "releaserc.toml",
        "version", "--patch", "--no-push", "--no-vcs-release", "--skip-build",
    ),
}  # fmt: skip
PEERS_FOLDER = Path(__file__).parents[1] / ".nox" / "peers"


def results() -> Iterator[Row]:
    """Measure against the peers."""
    commands: dict[str, tuple[str, ...]] = {OURS: (inv_path(), "cut", "--part", "patch")}
    try:
        for name, (program, *arguments) in PEERS.items():
            commands[name] = (str(_install(name) / program), *arguments)
    except subprocess.CalledProcessError:
        yield NotMeasured("inv cut", f"needs a package index to install {', '.join(PEERS)} from")
        return
    commands[FLOOR] = (commands[OURS][0], "--version")
    yield from _small_library(commands)
    work, costs = _race("3,000 commits, 200 tags", commands, commits=3000, tags=200)
    yield _compare(work, costs, goal=0.6)
    work, costs = _race(
        "a library with fragments and a version file", commands, commits=3, tags=1, files=libraries.CONFIGURED
    )
    yield _compare(work, costs, goal=1.0)


def _small_library(commands: dict[str, tuple[str, ...]]) -> Iterator[Result]:
    """Measure time, processor time, and git processes."""
    work, costs = _race("a small library", commands, commits=3, tags=1)
    yield _compare(work, costs, goal=0.7)
    floor = Number(FLOOR, costs[FLOOR].cpu_seconds, "s")
    ours = Number("beyond it", costs[OURS].cpu_seconds - floor.value, "s")
    measure = f"processor time beyond {FLOOR}, times that of it"
    yield ratio(work, measure, Kind.FLOOR, ours=ours, against=[floor], goal=1.0, note=f"least of {ROUNDS}")
    processes = _git_processes(commands)
    beside = [Number(name, processes[name]) for name in PEERS]
    yield count(work, "git processes", processes[OURS], goal=20, beside=beside)


def _git_processes(commands: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Return how many git processes each contestant starts itself."""
    processes = {}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        libraries.make(library, commits=3, tags=1)
        for (name, argv), copy in zip(commands.items(), libraries.copies(library, len(commands)), strict=True):
            trace = copy.with_suffix(".trace")
            trace.touch()
            run(argv, copy, {**os.environ, **libraries.ENVIRON, "GIT_TRACE2_EVENT": str(trace)})
            processes[name] = len(traced_commands(trace))
    return processes


def _race(
    kind: str,
    commands: dict[str, tuple[str, ...]],
    *,
    commits: int,
    tags: int,
    files: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, dict[str, Cost]]:
    """Return the work, and what each contestant costs."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        libraries.make(library, commits=commits, tags=tags, files=files)
        unused_copies = iter(libraries.copies(library, len(commands) * (ROUNDS + 1)))
        contestants = [
            Contestant(name=name, argv=argv, folders=tuple(next(unused_copies) for _ in range(ROUNDS + 1)))
            for name, argv in commands.items()
        ]
        environ = {**libraries.ENVIRON, "PYTHONDONTWRITEBYTECODE": ""}
        costs = measure(contestants, rounds=ROUNDS, environ=environ)
        for contestant in contestants:
            if contestant.name != FLOOR:
                libraries.require_release(contestant.folders[-1])
    return f"inv cut, {kind}", costs


def _compare(work: str, costs: dict[str, Cost], *, goal: float) -> Result:
    return compare(work, costs, of=OURS, to=PEERS, kind=Kind.PEER, goal=goal, rounds=ROUNDS)


def _install(package: str) -> Path:
    """Install and compile a peer in the first run, and return the folder of its programs."""
    folder = PEERS_FOLDER / f"{package}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--compile", package], check=True)
        (folder / "installed").touch()
    return folder / "bin"
