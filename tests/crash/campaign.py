"""`nox -s crash`: dies at every point of every scene and rollout, and lets two race; a summary says what was hit."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from tests.crash import contests, kills, races, rollouts, strikes
from tests.crash.kills import UNREACHED, Point
from tests.crash.landscapes import Landscape
from tests.crash.libraries import Library
from tests.crash.nursery import Nursery
from tests.crash.outcomes import Outcome
from tests.crash.rollouts import ROLLOUTS
from tests.crash.scenes import SCENES
from tests.crash.snapshots import End

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

RACED = "promote-prod"
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


@frozen(kw_only=True)
class Terrain:
    """All rollouts, rehearsed.

    Attributes:
        nursery: starts their clouds.
        moments: how everything was before each rollout, by name.
        outcomes: what each leaves.
        points: every point of all of them.
    """

    nursery: Nursery
    moments: dict[str, Landscape]
    outcomes: dict[str, Outcome]
    points: tuple[Point, ...]

    def strike(self, point: Point, folder: Path) -> tuple[str, ...]:
        """Die at a point, and return what is wrong afterwards."""
        name = point.scene
        return strikes.strike(
            ROLLOUTS[name], self.moments[name], folder, self.nursery, point=point, wanted=self.outcomes[name]
        )

    def at_once(self, folder: Path) -> tuple[str, ...]:
        """Let two promotions race, and return what is wrong afterwards."""
        return contests.at_once(self.moments[RACED], folder, self.nursery, self.outcomes[RACED])

    def woken(self, folder: Path, number: int, rounds: int) -> tuple[str, ...]:
        """Let a promotion wake up too late, and return what is wrong afterwards.

        Args:
            folder: where it happens; it does not exist yet.
            number: of the round, from 0.
            rounds: how many there are; they are spread over the requests for which it needs its lock.
        """
        asked = contests.under_lock(point for point in self.points if point.scene == RACED)
        at = asked[number * len(asked) // rounds]
        return contests.woken(self.moments[RACED], folder, self.nursery, self.outcomes[RACED], at)


def survey(folder: Path) -> Field:
    """Make every scene and run it once, unharmed."""
    libraries = {name: scene.make(folder / f"scene-{at}") for at, (name, scene) in enumerate(SCENES.items())}
    found = {
        name: kills.rehearse(SCENES[name], library, folder / f"unharmed-{at}")
        for at, (name, library) in enumerate(libraries.items())
    }
    ends = {name: end for name, (end, _) in found.items()}
    return Field(libraries=libraries, ends=ends, points=tuple(each for _, points in found.values() for each in points))


def explore(folder: Path, nursery: Nursery) -> Terrain:
    """Bring an app to the moment before every rollout, and run each once, unharmed."""
    moments = rollouts.timeline(folder, nursery)
    found = {
        name: strikes.rehearse(rollout, moments[name], folder / f"unharmed-{name}", nursery)
        for name, rollout in ROLLOUTS.items()
    }
    return Terrain(
        nursery=nursery,
        moments=moments,
        outcomes={name: outcome for name, (outcome, _) in found.items()},
        points=tuple(each for _, points in found.values() for each in points),
    )


def spread(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """Return this many of the points, evenly spread and always the same ones."""
    if most >= len(points):
        return tuple(points)
    return tuple(points[each * len(points) // most] for each in range(most))


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; return 1 when any of its kills and races went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=sys.maxsize, help="kills, evenly spread; all points if not given")
    parser.add_argument("--races", type=int, default=100, help="rounds of each kind of race")
    parser.add_argument("--only", default="*", help="a pattern of the names of scenes and rollouts")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder, Nursery() as nursery:
        return _run(Path(folder), nursery, asked)


def _run(folder: Path, nursery: Nursery, asked: argparse.Namespace) -> int:
    field, terrain = survey(folder / "field"), explore(folder / "terrain", nursery)
    every = [each for each in (*field.points, *terrain.points) if fnmatchcase(each.scene, asked.only)]
    points = spread(every, asked.most)
    tell(f"{len(points)} of {len(every)} points in {len({each.scene for each in every})} scenes")

    def strike(point: Point) -> tuple[str, ...]:
        where = terrain if point.scene in ROLLOUTS else field
        return where.strike(point, folder / f"kill-{points.index(point)}")

    said = _all("kills", points, strike)
    missed = {point for point, wrong in said.items() if wrong == (UNREACHED,)}
    wrong = {str(point): each for point, each in said.items() if point not in missed}
    wrong |= _raced(folder, terrain, asked.races)
    _summarise([point for point in points if point not in missed], len(missed))
    for what, each in wrong.items():
        tell(f"\n{what}\n  " + "\n  ".join(each))
    return 1 if wrong else 0


def _raced(folder: Path, terrain: Terrain, rounds: int) -> dict[str, tuple[str, ...]]:
    """Let releases, rollouts and a run that was stopped race, and return what went wrong."""
    kinds: dict[str, Callable[[int], tuple[str, ...]]] = {
        "releases at once": lambda number: races.race(folder / f"race-{number}", own_work=number % 2 == 1),
        "rollouts at once": lambda number: terrain.at_once(folder / f"contest-{number}"),
        "locks lost": lambda number: terrain.woken(folder / f"woken-{number}", number, rounds),
    }
    return {
        f"{name}, round {number}": wrong
        for name, race in kinds.items()
        for number, wrong in _all(name, range(rounds), race).items()
        if wrong != (UNREACHED,)
    }


def _all(name: str, items: Sequence[Item], do: Callable[[Item], tuple[str, ...]]) -> dict[Item, tuple[str, ...]]:
    """Do it with every item, two at a time, and return what went wrong with which, or that it came not so far."""
    said: dict[Item, tuple[str, ...]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = {pool.submit(do, item): item for item in items}
        for done, future in enumerate(as_completed(began), 1):
            if future.result():
                said[began[future]] = future.result()
            missed = sum(each == (UNREACHED,) for each in said.values())
            if sys.stderr.isatty() or done % 50 == 0 or done == len(items):
                tell(
                    f"{name}: {done} of {len(items)}, {len(said) - missed} wrong, {missed} not reached",
                    end="\r" if sys.stderr.isatty() else "\n",
                )
    return said


def _summarise(points: Sequence[Point], missed: int) -> None:
    """Say how often which kind of point was hit."""
    tell(f"\n{len(points)} points hit, {missed} not reached:")
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
