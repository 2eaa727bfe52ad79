"""A whole release of a library (version, changelog, commit, tag; no push), against the tools that people use for it.

Whole processes on identical repositories, each tool in a virtual environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import libraries
from benchmarks.timing import Contestant, compared, inv, medians, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.timing import Result

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
INSTALLED = Path(__file__).parents[1] / ".nox" / "peers"


def main() -> int:
    """Print the ratios; fail when one misses its target."""
    return report(_results())


def _results() -> Iterator[Result]:
    commands: dict[str, tuple[str, ...]] = {OURS: (inv(), "cut", "--part", "patch")}
    for name, (program, *arguments) in PEERS.items():
        commands[name] = (str(_installed(name) / program), *arguments)
    yield _race("a small library", commands, commits=3, tags=1, target=0.9)
    yield _race("3000 commits, 200 tags", commands, commits=3000, tags=200, target=0.95)


def _race(where: str, commands: dict[str, tuple[str, ...]], *, commits: int, tags: int, target: float) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        libraries.make(library, commits=commits, tags=tags)
        fresh = iter(libraries.copies(library, len(commands) * (ROUNDS + 1)))
        contestants = [
            Contestant(name=name, argv=argv, folders=tuple(next(fresh) for _ in range(ROUNDS + 1)))
            for name, argv in commands.items()
        ]
        taken = medians(contestants, rounds=ROUNDS, environ={**libraries.ENVIRON, "PYTHONDONTWRITEBYTECODE": ""})
        for each in contestants:
            libraries.demand_release(each.folders[-1])
    what = f"inv cut in {where}, times the fastest peer"
    return compared(what, taken, of=OURS, to=PEERS, target=target, rounds=ROUNDS)


def _installed(package: str) -> Path:
    """Return the folder of a peer's programs, installed and compiled by pip at the first run and kept."""
    folder = INSTALLED / f"{package}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--compile", package], check=True)
        (folder / "installed").touch()
    return folder / "bin"


if __name__ == "__main__":
    sys.exit(main())
