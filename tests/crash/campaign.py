"""`nox -s crash`: kills every release and rollout at every point, and races them; prints a summary."""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from tests.crash import (
    cluster_cases,
    command_kills,
    handovers,
    hotfix_races,
    message_kills,
    promotion_races,
    release_kills,
    release_races,
    rollout_cases,
    rollout_kills,
)
from tests.crash.cloud_fork_server import CloudForkServer
from tests.crash.cluster_cases import CLUSTER_ROLLOUTS
from tests.crash.library import Library
from tests.crash.migration_cases import MIGRATIONS
from tests.crash.outcomes import Outcome
from tests.crash.release_cases import SCENES, ReleaseCase
from tests.crash.release_kills import NOT_REACHED, KillPoint
from tests.crash.rollout_cases import ROLLOUTS, RolloutCase
from tests.crash.sandbox import KAIZEN_TOML, TeamSandbox, create_sandbox
from tests.crash.snapshots import RepositoryState
from tests.support.wrong_clock import wrong_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

WRONG_CLOCKS = (-290, 290)
"""Seconds by which the clocks of other machines are wrong; AWS refuses 300."""

CASES = {**ROLLOUTS, **MIGRATIONS}
"""The commands on App Runner; the tests of CI leave out migrations, whose changes unit tests interrupt."""

RACED_ROLLOUT = "promote-prod"
MAX_CONCURRENT = 2
"""Threads, each of which waits for a process."""

LEASES, MAX_CONCURRENT_LEASES = "locks lost", 12
"""The races whose rounds do nothing for a whole lease, and their threads."""


@define(kw_only=True)
class ReleaseCases:
    """The release cases, each prepared and recorded without a kill when it is first needed.

    Attributes:
        folder: where they are prepared.
        cases: the commands, by name.
    """

    folder: Path
    cases: Mapping[str, ReleaseCase] = field(factory=lambda: SCENES)
    _recordings: dict[str, tuple[Library, RepositoryState, tuple[KillPoint, ...]]] = field(factory=dict, init=False)

    @property
    def points(self) -> tuple[KillPoint, ...]:
        """All kill points."""
        return tuple(point for name in self.cases for point in self.points_of(name))

    def points_of(self, name: str) -> tuple[KillPoint, ...]:
        """The kill points of a case."""
        return self._recorded(name)[2]

    def kill_and_rerun(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Kill the command at a point, run it again, and return the differences."""
        library, end, _ = self._recorded(point.scene)
        return release_kills.kill_and_rerun(self.cases[point.scene], library, folder, point, end)

    def _recorded(self, name: str) -> tuple[Library, RepositoryState, tuple[KillPoint, ...]]:
        """Return the state before a case, the state after it, and its kill points."""
        if name not in self._recordings:
            number = len(self._recordings)
            case, library = self.cases[name], self.cases[name].make(self.folder / f"scene-{number}")
            self._recordings[name] = library, *release_kills.record(case, library, self.folder / f"unharmed-{number}")
        return self._recordings[name]


@define(kw_only=True)
class RolloutCases:
    """Rollout cases, each prepared and recorded without a kill when it is first needed; safe to use from threads.

    Attributes:
        folder: where they are prepared.
        fork_server: starts their clouds.
        cases: the rollouts, by name; each continues the preparations of those above it.
        configuration: the app's `kaizen.toml`.
    """

    folder: Path
    fork_server: CloudForkServer
    cases: Mapping[str, RolloutCase] = field(factory=lambda: ROLLOUTS)
    configuration: bytes = field(default=KAIZEN_TOML, repr=False)
    _moments: dict[str, TeamSandbox] = field(factory=dict, init=False)
    _recordings: dict[str, tuple[Outcome, tuple[KillPoint, ...]]] = field(factory=dict, init=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False)

    def moment(self, name: str) -> TeamSandbox:
        """The state before a rollout."""
        with self._lock:
            if name not in self._moments:
                self._prepare_until(name)
            return self._moments[name]

    def _prepare_until(self, name: str) -> None:
        names = list(self.cases)
        for number in range(len(self._moments), names.index(name) + 1):
            sandbox = (
                self._moments[names[number - 1]]
                if number
                else create_sandbox(self.folder / "found", self.configuration)
            )
            self._moments[names[number]] = rollout_cases.prepare(
                self.cases[names[number]], sandbox, self.folder / f"moment-{number}", self.fork_server
            )

    def outcome(self, name: str) -> Outcome:
        """The state after a rollout."""
        return self._recorded(name)[0]

    def points_of(self, name: str) -> tuple[KillPoint, ...]:
        """The kill points of a rollout."""
        return self._recorded(name)[1]

    def _recorded(self, name: str) -> tuple[Outcome, tuple[KillPoint, ...]]:
        with self._lock:
            if name not in self._recordings:
                folder = self.folder / f"unharmed-{name}"
                self._recordings[name] = rollout_kills.record(
                    self.cases[name], self.moment(name), folder, self.fork_server
                )
            return self._recordings[name]

    @property
    def points(self) -> tuple[KillPoint, ...]:
        """All kill points."""
        return tuple(point for name in self.cases for point in self.points_of(name))

    def kill_and_rerun(
        self, point: KillPoint, folder: Path, *, elsewhere: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Kill the command at a point, run it again, here or on another machine, and return the differences."""
        name = point.scene
        return rollout_kills.kill_and_rerun(
            self.cases[name],
            self.moment(name),
            folder,
            self.fork_server,
            point=point,
            expected=self.outcome(name),
            elsewhere=elsewhere,
        )

    @property
    def handover_points(self) -> tuple[KillPoint, ...]:
        """The kill points after which another machine finishes the command."""
        return tuple(point for name in self.cases if name in handovers.HANDOVERS for point in self.points_of(name))

    def kill_and_hand_over(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Kill the command at a point, finish it from a fresh clone on another machine, and return what is wrong."""
        name = point.scene
        return handovers.kill_and_hand_over(
            self.cases[name],
            self.moment(name),
            folder,
            self.fork_server,
            point=point,
            expected=self.outcome(name),
            skew=handovers.clock_of(point),
        )

    def race_two_hotfixes(self, folder: Path) -> tuple[str, ...]:
        """Release hotfixes of two tenants from two clones at once, and return what is wrong."""
        return hotfix_races.race_two_hotfixes(self.moment("hotfix"), folder, self.fork_server)

    def race_two_promotions(self, folder: Path) -> tuple[str, ...]:
        """Race two promotions, and return what is wrong."""
        return promotion_races.race_two_promotions(
            self.moment(RACED_ROLLOUT), folder, self.fork_server, self.outcome(RACED_ROLLOUT)
        )

    def resume_after_lease(self, folder: Path, round_number: int, rounds: int) -> tuple[str, ...]:
        """Resume a promotion after its lease expired, and return what is wrong.

        Args:
            folder: a new folder to work in.
            round_number: counted from 0.
            rounds: number of rounds, spread over the requests that need the lock.
        """
        request_numbers = promotion_races.requests_under_lock(self.points_of(RACED_ROLLOUT))
        request_number = request_numbers[round_number * len(request_numbers) // rounds]
        return promotion_races.resume_after_lease(
            self.moment(RACED_ROLLOUT), folder, self.fork_server, self.outcome(RACED_ROLLOUT), request_number
        )


def sample_evenly(points: Sequence[KillPoint], count: int) -> tuple[KillPoint, ...]:
    """Return evenly spread points, always the same ones."""
    if count >= len(points):
        return tuple(points)
    return tuple(points[index * len(points) // count] for index in range(count))


def main(arguments: Sequence[str]) -> int:
    """Run the campaign; return 1 if a kill or a race went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=sys.maxsize, help="kills, evenly spread; all points if not given")
    parser.add_argument(
        "--handovers", type=int, default=sys.maxsize,
        help="kills that another machine finishes from a fresh clone, evenly spread; all points if not given",
    )  # fmt: skip
    parser.add_argument("--races", type=int, default=100, help="rounds of each kind of race")
    parser.add_argument(
        "--commands", type=int, default=100, help="releases with a command that are killed twice, evenly spread"
    )
    parser.add_argument("--only", default="*", help="a pattern of the names of scenes and rollouts that are killed")
    parser.add_argument("--first", type=int, default=1, help="number of the first kill, to continue a campaign")
    parser.add_argument("--messages", type=int, default=200, help="commands that are killed while they send messages")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder,
        CloudForkServer() as fork_server,
    ):
        return _run(Path(folder), fork_server, options)


def _run(folder: Path, fork_server: CloudForkServer, options: argparse.Namespace) -> int:
    release_runs = ReleaseCases(folder=folder / "releases")
    rollout_runs = RolloutCases(folder=folder / "rollouts", fork_server=fork_server, cases=CASES)
    cluster_runs = RolloutCases(
        folder=folder / "clusters",
        fork_server=fork_server,
        cases=CLUSTER_ROLLOUTS,
        configuration=cluster_cases.configuration(),
    )
    all_points = [
        point
        for runs in (release_runs, rollout_runs, cluster_runs)
        for name in runs.cases
        if fnmatchcase(name, options.only)
        for point in runs.points_of(name)
    ]
    points = sample_evenly(all_points, options.most)
    print_progress(f"{len(points)} of {len(all_points)} points in {len({item.scene for item in all_points})} scenes")
    points = points[options.first - 1 :]

    places = (None, *map(wrong_clock, WRONG_CLOCKS))

    def strike(point: KillPoint) -> tuple[str, ...]:
        index = points.index(point)
        if point.scene in release_runs.cases:
            return release_runs.kill_and_rerun(point, folder / f"kill-{index}")
        runs = cluster_runs if point.scene in cluster_runs.cases else rollout_runs
        return runs.kill_and_rerun(point, folder / f"kill-{index}", elsewhere=places[index % len(places)])

    results = _run_all("kills", points, strike)
    unreached = {point for point, failures in results.items() if failures == (NOT_REACHED,)}
    failures = {str(point): item for point, item in results.items() if point not in unreached}
    failures |= _run_handovers(folder, rollout_runs, options)
    failures |= _run_commands(folder, rollout_runs, options.commands)
    failures |= _run_messages(folder, rollout_runs, options.messages)
    failures |= _run_races(folder, rollout_runs, options.races)
    _print_summary([point for point in points if point not in unreached], len(unreached))
    for title, item in failures.items():
        print_progress(f"\n{title}\n  " + "\n  ".join(item))
    return 1 if failures else 0


def _run_handovers(folder: Path, rollout_runs: RolloutCases, options: argparse.Namespace) -> dict[str, tuple[str, ...]]:
    """Kill rollouts, finish them from fresh clones, and return what went wrong."""
    if not options.handovers:
        return {}
    all_points = [point for point in rollout_runs.handover_points if fnmatchcase(point.scene, options.only)]
    points = sample_evenly(all_points, options.handovers)

    def hand_over(point: KillPoint) -> tuple[str, ...]:
        return rollout_runs.kill_and_hand_over(point, folder / f"handover-{points.index(point)}")

    results = _run_all("handovers", points, hand_over)
    return {f"handover: {point}": failures for point, failures in results.items() if failures != (NOT_REACHED,)}


def _run_commands(folder: Path, rollout_runs: RolloutCases, count: int) -> dict[str, tuple[str, ...]]:
    """Kill releases with a command, most of them while it matters, and return what went wrong."""
    if not count:
        return {}
    moment = rollout_runs.moment("release-staging")
    cases = command_kills.prepare(moment, folder / "commands", rollout_runs.fork_server)
    own_points = cases.points_of_the_command[:count]
    other_points = [point for point in cases.points if point not in own_points]
    points = (*own_points, *sample_evenly(other_points, count - len(own_points)))

    def kill(point: KillPoint) -> tuple[str, ...]:
        return cases.kill_twice_and_rerun(point, folder / f"command-{points.index(point)}")

    results = _run_all("commands", points, kill)
    return {f"command: {point}": failures for point, failures in results.items() if failures != (NOT_REACHED,)}


def _run_messages(folder: Path, rollout_runs: RolloutCases, count: int) -> dict[str, tuple[str, ...]]:
    """Kill commands while they send messages, at every point as often as needed, and return what went wrong."""
    if not count:
        return {}
    moment = rollout_runs.moment("promote-prod")
    with message_kills.Receiver() as receiver:
        cases = message_kills.prepare(moment, folder / "messages", rollout_runs.fork_server, receiver)
        points = sample_evenly(cases.points, count) * math.ceil(count / len(cases.points))

        def kill(index: int) -> tuple[str, ...]:
            return cases.kill_and_check(points[index], folder / f"message-{index}")

        results = _run_all("messages", range(count), kill)
    return {f"message: {points[index]}": wrong for index, wrong in results.items() if wrong != (NOT_REACHED,)}


def _run_races(folder: Path, rollout_runs: RolloutCases, rounds: int) -> dict[str, tuple[str, ...]]:
    """Race releases, rollouts and a suspended run, and return what went wrong."""
    kinds: dict[str, Callable[[int], tuple[str, ...]]] = {
        "releases at once": lambda number: release_races.race_two_releases(
            folder / f"race-{number}", own_work=number % 2 == 1
        ),
        "hotfixes at once": lambda number: rollout_runs.race_two_hotfixes(folder / f"hotfixes-{number}"),
        "rollouts at once": lambda number: rollout_runs.race_two_promotions(folder / f"contest-{number}"),
        LEASES: lambda number: rollout_runs.resume_after_lease(folder / f"woken-{number}", number, rounds),
    }
    return {
        f"{name}, round {number}": failures
        for name, race in kinds.items()
        for number, failures in _run_all(
            name, range(rounds), race, max_workers=MAX_CONCURRENT_LEASES if name == LEASES else MAX_CONCURRENT
        ).items()
        if failures != (NOT_REACHED,)
    }


def _run_all(
    name: str, items: Sequence[Item], run_item: Callable[[Item], tuple[str, ...]], *, max_workers: int = MAX_CONCURRENT
) -> dict[Item, tuple[str, ...]]:
    """Run every item, several at a time, print each failure at once, and return the failures by item."""
    failures: dict[Item, tuple[str, ...]] = {}
    with ThreadPoolExecutor(max_workers) as pool:
        futures = {pool.submit(run_item, item): item for item in items}
        for completed, future in enumerate(as_completed(futures), 1):
            if future.result():
                failures[futures[future]] = future.result()
                print_progress(f"{name}: {futures[future]}: {'; '.join(future.result())}")
            unreached = sum(failure == (NOT_REACHED,) for failure in failures.values())
            if sys.stderr.isatty() or completed % 50 == 0 or completed == len(items):
                print_progress(
                    f"{name}: {completed} of {len(items)}, {len(failures) - unreached} wrong, {unreached} not reached",
                    end="\r" if sys.stderr.isatty() else "\n",
                )
    return failures


def _print_summary(points: Sequence[KillPoint], unreached: int) -> None:
    """Print how often each kind of point was hit."""
    print_progress(f"\n{len(points)} points hit, {unreached} not reached:")
    for kind, count in Counter(point.kind for point in points).most_common():
        print_progress(f"{count:6}  {kind}")
    for scene, count in Counter(point.scene for point in points).items():
        print_progress(f"{count:6}  in {scene}")


def print_progress(text: str, end: str = "\n") -> None:
    """Print progress on stderr."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
