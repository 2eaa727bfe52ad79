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
from benchmarks.timing import Contestant, compare, inv_path, median_seconds, report, report_not_measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
PEERS_FOLDER = Path(__file__).parents[1] / ".nox" / "peers"


def main() -> int:
    """Print the ratios; fail if a target was missed."""
    commands: dict[str, tuple[str, ...]] = {OURS: (inv_path(), "cut", "--part", "patch")}
    try:
        for name, (program, *arguments) in PEERS.items():
            commands[name] = (str(_install(name) / program), *arguments)
    except subprocess.CalledProcessError:
        return report_not_measured("inv cut", f"needs a package index to install {', '.join(PEERS)} from")
    return report(_results(commands))


def _results(commands: dict[str, tuple[str, ...]]) -> Iterator[Result]:
    yield _race("a small library", commands, commits=3, tags=1, target=0.9)
    yield _race("3000 commits, 200 tags", commands, commits=3000, tags=200, target=0.95)
    yield _race(
        "a library with fragments and a version file",
        commands,
        commits=3,
        tags=1,
        target=1.0,
        files=libraries.CONFIGURED,
    )


def _race(
    kind: str,
    commands: dict[str, tuple[str, ...]],
    *,
    commits: int,
    tags: int,
    target: float,
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
        seconds = median_seconds(contestants, rounds=ROUNDS, environ=environ)
        for contestant in contestants:
            libraries.require_release(contestant.folders[-1])
    what = f"inv cut in {kind}, times the fastest peer"
    return compare(what, seconds, of=OURS, to=PEERS, target=target, rounds=ROUNDS)


def _install(package: str) -> Path:
    """Install and compile a peer in the first run, and return the folder of its programs."""
    folder = PEERS_FOLDER / f"{package}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--compile", package], check=True)
        (folder / "installed").touch()
    return folder / "bin"


if __name__ == "__main__":
    sys.exit(main())
