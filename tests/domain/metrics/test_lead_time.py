"""From commits to their verification."""

from __future__ import annotations

from attrs import evolve

from kaizen_tasks.domain.git.commit import Commit
from kaizen_tasks.domain.metrics.changes import read_changes
from kaizen_tasks.domain.metrics.lead_time import Delivery, find_deliveries
from tests.domain.metrics.ledgers import commit, ledger, moment

LINES = (
    *("1-09:00 started v1", "1-09:10 verified v1"),
    *("2-09:00 started v2", "2-09:10 verified v2"),
    *("3-09:00 started v3", "3-09:10 verified v3"),
)
COMMITS = {
    commit("v1"): Commit(at=moment("1-08:00"), parents=("before",), sets_version=True),
    "work": Commit(at=moment("2-08:10"), parents=(commit("v1"),)),
    commit("v2"): Commit(at=moment("2-08:30"), parents=("work",), sets_version=True),
    "more": Commit(at=moment("3-08:10"), parents=(commit("v2"),)),
    commit("v3"): Commit(at=moment("3-08:30"), parents=("more",), sets_version=True),
}


def found(*lines: str, without: tuple[str, ...] = (), **changed: Commit) -> dict[str, Delivery]:
    commits = {name: each for name, each in {**COMMITS, **changed}.items() if name not in without}
    deliveries = find_deliveries(read_changes("prod", ledger(*lines)), commits)
    return {delivery.version: delivery for delivery in deliveries}


def test_commits_of_a_release_are_those_that_the_one_before_lacks() -> None:
    deliveries = found(*LINES)

    assert deliveries["v2"].lead_seconds == deliveries["v3"].lead_seconds == (3600,)


def test_first_known_release_has_no_known_commits() -> None:
    first = found(*LINES)["v1"]

    assert (first.lead_seconds, first.is_missing) == (None, False)


def test_release_that_is_not_in_this_clone_has_no_known_commits() -> None:
    deliveries = found(*LINES, without=(commit("v3"), "more"))

    assert (deliveries["v3"].lead_seconds, deliveries["v3"].is_missing) == (None, True)
    assert deliveries["v2"].lead_seconds == (3600,)


def test_release_after_one_that_is_not_in_this_clone_is_the_first_known_one() -> None:
    deliveries = found(*LINES, without=(commit("v1"),))

    assert [delivery.lead_seconds for delivery in deliveries.values()] == [None, None, (3600,)]


def test_release_without_a_commit_of_its_own_has_no_lead_time() -> None:
    deliveries = found(
        *LINES, without=("more",), **{commit("v3"): evolve(COMMITS[commit("v3")], parents=(commit("v2"),))}
    )

    assert deliveries["v3"].lead_seconds == ()


def test_commit_of_a_fast_clock_has_a_lead_time_of_zero() -> None:
    deliveries = found(*LINES, work=evolve(COMMITS["work"], at=moment("2-11:00")))

    assert deliveries["v2"].lead_seconds == (0,)


def test_commit_that_was_delivered_first_by_a_later_release_is_counted_there() -> None:
    failed = ("2-09:00 started v2", "2-09:10 failed v2")

    deliveries = found(*LINES[:2], *failed, *LINES[4:])

    assert sorted(deliveries["v3"].lead_seconds or ()) == [3600, 3600 + 86_400]


def test_release_that_was_there_before_is_no_delivery() -> None:
    """Its rollback is the oldest known entry; what it has tells what later releases bring."""
    deliveries = found("1-09:00 rollback v1", "1-09:10 verified v1", *LINES[2:4])

    assert list(deliveries) == ["v2"]
    assert deliveries["v2"].lead_seconds == (3600,)
