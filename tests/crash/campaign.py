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

from tests.crash import promotion_races, release_kills, release_races, rollout_cases, rollout_kills
from tests.crash.cloud_fork_server import CloudForkServer
from tests.crash.library import Library
from tests.crash.outcomes import Outcome
from tests.crash.release_cases import SCENES
from tests.crash.release_kills import NOT_REACHED, KillPoint
from tests.crash.rollout_cases import ROLLOUTS
from tests.crash.sandbox import TeamSandbox
from tests.crash.snapshots import RepositoryState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

RACED_ROLLOUT = "promote-prod"
MAX_CONCURRENT = 2
"""Threads; each waits for a process of its own."""


@frozen(kw_only=True)
class ReleaseCases:
    """All scenes, rehearsed.

    Attributes:
        libraries: where each scene begins, by name.
        ends: how each ends.
        points: every point of all of them.
    """

    libraries: dict[str, Library]
    ends: dict[str, RepositoryState]
    points: tuple[KillPoint, ...]

    def kill_and_rerun(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Die at a point, and return what is wrong afterwards."""
        scene = SCENES[point.scene]
        return release_kills.kill_and_rerun(scene, self.libraries[scene.name], folder, point, self.ends[scene.name])


@frozen(kw_only=True)
class RolloutCases:
    """All rollouts, rehearsed.

    Attributes:
        fork_server: starts their clouds.
        moments: how everything was before each rollout, by name.
        outcomes: what each leaves.
        points: every point of all of them.
    """

    fork_server: CloudForkServer
    moments: dict[str, TeamSandbox]
    outcomes: dict[str, Outcome]
    points: tuple[KillPoint, ...]

    def kill_and_rerun(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Die at a point, and return what is wrong afterwards."""
        name = point.scene
        return rollout_kills.kill_and_rerun(
            ROLLOUTS[name], self.moments[name], folder, self.fork_server, point=point, expected=self.outcomes[name]
        )

    def race_two_promotions(self, folder: Path) -> tuple[str, ...]:
        """Let two promotions race, and return what is wrong afterwards."""
        return promotion_races.race_two_promotions(
            self.moments[RACED_ROLLOUT], folder, self.fork_server, self.outcomes[RACED_ROLLOUT]
        )

    def resume_after_lease(self, folder: Path, round_number: int, rounds: int) -> tuple[str, ...]:
        """Let a promotion wake up too late, and return what is wrong afterwards.

        Args:
            folder: where it happens; it does not exist yet.
            round_number: of the round, from 0.
            rounds: how many there are; they are spread over the requests for which it needs its lock.
        """
        request_numbers = promotion_races.requests_under_lock(
            point for point in self.points if point.scene == RACED_ROLLOUT
        )
        request_number = request_numbers[round_number * len(request_numbers) // rounds]
        return promotion_races.resume_after_lease(
            self.moments[RACED_ROLLOUT], folder, self.fork_server, self.outcomes[RACED_ROLLOUT], request_number
        )


def prepare_releases(folder: Path) -> ReleaseCases:
    """Make every scene and run it once, unharmed."""
    libraries = {name: scene.make(folder / f"scene-{number}") for number, (name, scene) in enumerate(SCENES.items())}
    results = {
        name: release_kills.record(SCENES[name], library, folder / f"unharmed-{number}")
        for number, (name, library) in enumerate(libraries.items())
    }
    ends = {name: end for name, (end, _) in results.items()}
    return ReleaseCases(
        libraries=libraries, ends=ends, points=tuple(point for _, points in results.values() for point in points)
    )


def prepare_rollouts(folder: Path, fork_server: CloudForkServer) -> RolloutCases:
    """Bring an app to the moment before every rollout, and run each once, unharmed."""
    moments = rollout_cases.sandboxes_before_rollouts(folder, fork_server)
    results = {
        name: rollout_kills.record(rollout, moments[name], folder / f"unharmed-{name}", fork_server)
        for name, rollout in ROLLOUTS.items()
    }
    return RolloutCases(
        fork_server=fork_server,
        moments=moments,
        outcomes={name: outcome for name, (outcome, _) in results.items()},
        points=tuple(point for _, points in results.values() for point in points),
    )


def sample_evenly(points: Sequence[KillPoint], count: int) -> tuple[KillPoint, ...]:
    """Return this many of the points, evenly spread and always the same ones."""
    if count >= len(points):
        return tuple(points)
    return tuple(points[index * len(points) // count] for index in range(count))


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; return 1 when any of its kills and races went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=sys.maxsize, help="kills, evenly spread; all points if not given")
    parser.add_argument("--races", type=int, default=100, help="rounds of each kind of race")
    parser.add_argument("--only", default="*", help="a pattern of the names of scenes and rollouts")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder,
        CloudForkServer() as fork_server,
    ):
        return _run(Path(folder), fork_server, options)


def _run(folder: Path, fork_server: CloudForkServer, options: argparse.Namespace) -> int:
    release_runs, rollout_runs = (
        prepare_releases(folder / "releases"),
        prepare_rollouts(folder / "rollouts", fork_server),
    )
    all_points = [
        item for item in (*release_runs.points, *rollout_runs.points) if fnmatchcase(item.scene, options.only)
    ]
    points = sample_evenly(all_points, options.most)
    print_progress(f"{len(points)} of {len(all_points)} points in {len({item.scene for item in all_points})} scenes")

    def strike(point: KillPoint) -> tuple[str, ...]:
        cases = rollout_runs if point.scene in ROLLOUTS else release_runs
        return cases.kill_and_rerun(point, folder / f"kill-{points.index(point)}")

    results = _run_all("kills", points, strike)
    unreached = {point for point, failures in results.items() if failures == (NOT_REACHED,)}
    failures = {str(point): item for point, item in results.items() if point not in unreached}
    failures |= _run_races(folder, rollout_runs, options.races)
    _print_summary([point for point in points if point not in unreached], len(unreached))
    for title, item in failures.items():
        print_progress(f"\n{title}\n  " + "\n  ".join(item))
    return 1 if failures else 0


def _run_races(folder: Path, rollout_runs: RolloutCases, rounds: int) -> dict[str, tuple[str, ...]]:
    """Let releases, rollouts and a run that was stopped race, and return what went wrong."""
    kinds: dict[str, Callable[[int], tuple[str, ...]]] = {
        "releases at once": lambda number: release_races.race_two_releases(
            folder / f"race-{number}", own_work=number % 2 == 1
        ),
        "rollouts at once": lambda number: rollout_runs.race_two_promotions(folder / f"contest-{number}"),
        "locks lost": lambda number: rollout_runs.resume_after_lease(folder / f"woken-{number}", number, rounds),
    }
    return {
        f"{name}, round {number}": failures
        for name, race in kinds.items()
        for number, failures in _run_all(name, range(rounds), race).items()
        if failures != (NOT_REACHED,)
    }


def _run_all(
    name: str, items: Sequence[Item], run_item: Callable[[Item], tuple[str, ...]]
) -> dict[Item, tuple[str, ...]]:
    """Do it with every item, two at a time, and return what went wrong with which, or that it came not so far."""
    failures: dict[Item, tuple[str, ...]] = {}
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        futures = {pool.submit(run_item, item): item for item in items}
        for completed, future in enumerate(as_completed(futures), 1):
            if future.result():
                failures[futures[future]] = future.result()
            unreached = sum(failure == (NOT_REACHED,) for failure in failures.values())
            if sys.stderr.isatty() or completed % 50 == 0 or completed == len(items):
                print_progress(
                    f"{name}: {completed} of {len(items)}, {len(failures) - unreached} wrong, {unreached} not reached",
                    end="\r" if sys.stderr.isatty() else "\n",
                )
    return failures


def _print_summary(points: Sequence[KillPoint], unreached: int) -> None:
    """Say how often which kind of point was hit."""
    print_progress(f"\n{len(points)} points hit, {unreached} not reached:")
    for kind, count in Counter(point.kind for point in points).most_common():
        print_progress(f"{count:6}  {kind}")
    for scene, count in Counter(point.scene for point in points).items():
        print_progress(f"{count:6}  in {scene}")


def print_progress(text: str, end: str = "\n") -> None:
    """Say something to whoever waits."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
