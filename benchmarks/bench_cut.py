"""A whole release of a library (version, changelog, commit, tag; no push), compared with other release tools.

Whole processes on identical repositories, each tool in a virtual environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks import libraries
from benchmarks.results import Kind, NotMeasured
from benchmarks.timing import Contestant, compare, inv_path, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.results import Result, Row

ROUNDS = 15
OURS = "inv cut"
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
    yield _race("a small library", commands, commits=3, tags=1, goal=0.9)
    yield _race("3000 commits, 200 tags", commands, commits=3000, tags=200, goal=0.95)
    yield _race(
        "a library with fragments and a version file",
        commands,
        commits=3,
        tags=1,
        goal=1.0,
        files=libraries.CONFIGURED,
    )


def _race(
    kind: str,
    commands: dict[str, tuple[str, ...]],
    *,
    commits: int,
    tags: int,
    goal: float,
    files: Mapping[str, str] = MappingProxyType({}),
) -> Result:
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
            libraries.require_release(contestant.folders[-1])
    return compare(f"inv cut, {kind}", costs, of=OURS, to=PEERS, kind=Kind.PEER, goal=goal, rounds=ROUNDS)


def _install(package: str) -> Path:
    """Install and compile a peer in the first run, and return the folder of its programs."""
    folder = PEERS_FOLDER / f"{package}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--compile", package], check=True)
        (folder / "installed").touch()
    return folder / "bin"
