"""`nox -s crash`: dies at every point of every scene, and lets two releases race; a summary says what was hit."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tests.crash import kills, races
from tests.crash.kills import Point
from tests.crash.libraries import Library
from tests.crash.scenes import SCENES
from tests.crash.snapshots import End

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AT_ONCE = 2
"""Threads; each waits for a process of its own."""


@frozen(kw_only=True)
class Field:
    """All scenes, rehearsed.

    Attributes:
        libraries: where each scene begins, by name.
        ends: how each ends.
        points: every point of all of them.
    """

    libraries: dict[str, Library]
    ends: dict[str, End]
    points: tuple[Point, ...]

    def strike(self, point: Point, folder: Path) -> tuple[str, ...]:
        """Die at a point, and return what is wrong afterwards."""
        scene = SCENES[point.scene]
        return kills.strike(scene, self.libraries[scene.name], folder, point, self.ends[scene.name])


def survey(folder: Path) -> Field:
    """Make every scene and run it once, unharmed."""
    libraries = {name: scene.make(folder / f"scene-{at}") for at, (name, scene) in enumerate(SCENES.items())}
    found = {
        name: kills.rehearse(SCENES[name], library, folder / f"unharmed-{at}")
        for at, (name, library) in enumerate(libraries.items())
    }
    ends = {name: end for name, (end, _) in found.items()}
    return Field(libraries=libraries, ends=ends, points=tuple(each for _, points in found.values() for each in points))


def spread(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """Return this many of the points, evenly spread and always the same ones."""
    if most >= len(points):
        return tuple(points)
    return tuple(points[each * len(points) // most] for each in range(most))


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; return 1 when any of its kills and races went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=sys.maxsize, help="kills, evenly spread; all points if not given")
    parser.add_argument("--races", type=int, default=50, help="rounds of two releases at once")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        return _run(Path(folder), asked.most, asked.races)


def _run(folder: Path, most: int, rounds: int) -> int:
    field = survey(folder)
    points = spread(field.points, most)
    tell(f"{len(points)} of {len(field.points)} points in {len(SCENES)} scenes")
    killed = _all("kills", points, lambda point: field.strike(point, folder / f"kill-{points.index(point)}"))
    raced = _all("races", range(rounds), lambda number: races.race(folder / f"race-{number}", own_work=number % 2 == 1))
    _summarise(points)
    for what, wrong in (killed | raced).items():
        tell(f"\n{what}\n  " + "\n  ".join(wrong))
    return 1 if killed or raced else 0


def _all(name: str, items: Sequence[object], do: Callable[..., tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Do it with every item, two at a time, and return what went wrong with which."""
    wrong: dict[str, tuple[str, ...]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = {pool.submit(do, item): item for item in items}
        for done, future in enumerate(as_completed(began), 1):
            if future.result():
                wrong[f"{name}: {began[future]}"] = future.result()
            if sys.stderr.isatty() or done % 50 == 0 or done == len(items):
                tell(f"{name}: {done} of {len(items)}, {len(wrong)} wrong", end="\r" if sys.stderr.isatty() else "\n")
    return wrong


def _summarise(points: Sequence[Point]) -> None:
    """Say how often which kind of point was hit."""
    tell("\npoints hit:")
    for kind, times in Counter(point.kind for point in points).most_common():
        tell(f"{times:6}  {kind}")
    for scene, times in Counter(point.scene for point in points).items():
        tell(f"{times:6}  in {scene}")


def tell(text: str, end: str = "\n") -> None:
    """Say something to whoever waits."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
