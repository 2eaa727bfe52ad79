"""Which releases changed an environment, and which of them failed."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.metrics.changes import Change, EnvironmentChanges, Incident, read_changes
from tests.domain.metrics.ledgers import commit, ledger, moment

WORKING = ("1-09:00 started v1", "1-09:05 deployed v1", "1-09:10 verified v1")


def read(*lines: str, hotfixes: tuple[str, ...] = ()) -> EnvironmentChanges:
    return read_changes("prod", ledger(*lines), hotfixes={commit(version) for version in hotfixes})


def shown(change: Change) -> str:
    """Return a change as `version outcome`."""
    outcome = change.failure or ("verified" if change.verified_at else "open")
    return f"{change.version} {outcome}"


def length(incident: Incident) -> str:
    """Return an incident as `failed version, minutes, release that restored`."""
    end = incident.seconds(moment("99-00:00")) / 60 if incident.ended_at else None
    return f"{incident.version} {'open' if end is None else f'{end:.0f}m {incident.restored_by}'}"


@pytest.mark.parametrize(
    ("lines", "changes", "incidents"),
    [
        pytest.param(WORKING, ["v1 verified"], [], id="verified"),
        pytest.param(
            (*WORKING, "2-09:00 verified v1", "2-10:00 verified v1"), ["v1 verified"], [], id="verified again"
        ),
        pytest.param(
            (*WORKING, "2-09:00 started v2", "2-11:00 deployed v2", "2-12:00 verified v2"),
            ["v1 verified", "v2 verified"],
            [],
            id="killed and typed again: the same intent goes on",
        ),
        pytest.param(
            (*WORKING, "2-09:00 started v2", "2-09:30 abandoned v2", "2-10:00 started v2", "2-10:05 deployed v2"),
            ["v1 verified", "v2 open"],
            [],
            id="killed, its deployment lost, and begun again",
        ),
        pytest.param(
            (*WORKING, "2-09:00 started v2", "2-09:10 failed v2"),
            ["v1 verified", "v2 deployment"],
            [],
            id="did not come up: the old release served all the time",
        ),
        pytest.param(
            (*WORKING, "2-09:00 started v2", "2-09:10 failed v2", "2-09:20 deployed v2", "2-09:21 verified v2"),
            ["v1 verified", "v2 verified"],
            [],
            id="took longer than its deadline, and came up",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:10 deployed v2", "2-09:15 failed v2", "2-09:16 rollback v1"),
                *("2-09:16 started v1", "2-09:20 deployed v1", "2-09:25 verified v1"),
            ),
            ["v1 verified", "v2 verification"],
            ["v2 15m v1"],
            id="failed verification, rolled back by itself",
        ),
        pytest.param(
            (*WORKING, "2-09:00 started v2", "2-09:10 deployed v2", "2-09:15 failed v2", "2-09:40 verified v2"),
            ["v1 verified", "v2 verification"],
            ["v2 30m v2"],
            id="failed verification and was verified when it was typed again",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:10 deployed v2", "2-09:15 failed v2"),
                *("2-10:00 started v3", "2-10:10 deployed v3", "2-10:15 failed v3"),
                *("2-11:00 started v4", "2-11:05 deployed v4", "2-11:10 verified v4"),
            ),
            ["v1 verified", "v2 verification", "v3 verification", "v4 verified"],
            ["v2 120m v4"],
            id="a fix that fails too belongs to the same incident",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:05 deployed v2", "2-09:10 verified v2", "2-12:00 rollback v1"),
                *("2-12:01 started v1", "2-12:04 deployed v1", "2-12:05 verified v1"),
            ),
            ["v1 verified", "v2 rollback"],
            ["v2 180m v1"],
            id="rolled back on the same day: since it served",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:05 deployed v2", "2-09:10 verified v2", "9-12:00 rollback v1"),
                *("9-12:01 started v1", "9-12:04 deployed v1", "9-12:05 verified v1"),
            ),
            ["v1 verified", "v2 rollback"],
            ["v2 5m v1"],
            id="rolled back after a week: since the rollback",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:02 rollback v1", "2-09:02 abandoned v2"),
                *("2-09:03 started v1", "2-09:05 deployed v1", "2-09:06 verified v1"),
            ),
            ["v1 verified", "v2 rollback"],
            [],
            id="rolled back before it served",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:05 deployed v2", "2-09:10 failed v2", "2-09:11 rollback v1"),
                *("2-09:12 started v1", "2-09:15 deployed v1", "2-09:20 failed v1", "2-10:05 verified v1"),
            ),
            ["v1 verified", "v2 verification"],
            ["v2 60m v1"],
            id="a rollback that fails is no failure of the release that came back",
        ),
        pytest.param(
            (
                *(*WORKING, "2-09:00 started v2", "2-09:05 deployed v2", "2-09:10 verified v2"),
                *("2-10:00 rollback v1", "2-10:00 started v1", "2-10:05 deployed v1", "2-10:05 verified v1"),
                *("3-09:00 started v2", "3-09:05 deployed v2", "3-09:10 verified v2"),
            ),
            ["v1 verified", "v2 rollback"],
            ["v2 60m v1"],
            id="a release that returns is the same change",
        ),
        pytest.param(
            (*WORKING, "9-10:00 failed v1", "9-10:30 verified v1"),
            ["v1 verification"],
            ["v1 30m v1"],
            id="failed when it was verified again",
        ),
        pytest.param((*WORKING, "9-10:00 failed v1"), ["v1 verification"], ["v1 open"], id="an incident that goes on"),
        pytest.param(
            (*WORKING, "2-09:00 withdrawn v2"), ["v1 verified"], [], id="given up before it was deployed: no change"
        ),
    ],
)
def test_outcomes_of_releases(lines: tuple[str, ...], changes: list[str], incidents: list[str]) -> None:
    found = read(*lines)

    assert [shown(change) for change in found.changes] == changes
    assert [length(incident) for incident in found.incidents] == incidents


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            (
                *("2-09:00 configured v1+a", "2-09:00 started v1+a", "2-09:05 deployed v1+a", "2-09:10 failed v1+a"),
                *("2-09:11 restored v1+b", "2-09:12 started v1+b", "2-09:15 deployed v1+b", "2-09:20 verified v1+b"),
            ),
            id="a runtime configuration, and the one before it",
        ),
        pytest.param(("2-09:00 started v1+a", "2-09:05 failed v1+a"), id="a deployment of a changed secret"),
        pytest.param(("2-09:00 ran v1", "2-09:05 command-failed v1"), id="a command by hand"),
        pytest.param(("2-09:00 command-started v2", "2-09:05 command-failed v2"), id="a command before a deployment"),
        pytest.param(("2-09:00 migrating v1", "2-09:30 retired v1", "3-09:30 migrated v1"), id="a migration"),
        pytest.param(("2-09:00 unknown v2",), id="an entry of a later version"),
    ],
)
def test_what_is_no_deployment_of_a_release_counts_as_nothing(lines: tuple[str, ...]) -> None:
    found = read(*WORKING, *lines)

    assert ([shown(change) for change in found.changes], found.incidents) == (["v1 verified"], ())


@pytest.mark.parametrize(
    "lines",
    [
        ("1-09:00 rollback v1", "1-09:00 started v1", "1-09:05 deployed v1", "1-09:10 verified v1"),
        ("1-09:00 configured v1+a", "1-09:00 started v1+a", "1-09:05 deployed v1+a", "1-09:10 verified v1+a"),
        ("1-09:00 deployed v1", "1-09:10 verified v1"),
        ("1-09:10 verified v1",),
    ],
)
def test_release_of_which_the_beginning_is_unknown_is_not_new(lines: tuple[str, ...]) -> None:
    found = read(*lines)

    assert found.changes == ()
    assert found.old_digests == {"sha256:v1"}


class TestHotfix:
    V2 = ("2-09:00 started v2", "2-09:05 deployed v2", "2-09:10 verified v2")
    FIX = ("3-09:00 started v3", "3-09:05 deployed v3", "3-09:10 verified v3")

    def test_release_that_a_hotfix_replaces_within_a_day_has_failed(self) -> None:
        found = read(*WORKING, *self.V2, *self.FIX, hotfixes=("v3",))

        assert [shown(change) for change in found.changes] == ["v1 verified", "v2 hotfix", "v3 verified"]
        assert [length(incident) for incident in found.incidents] == ["v2 1445m v3"]

    def test_release_that_any_other_release_replaces_has_not(self) -> None:
        found = read(*WORKING, *self.V2, *self.FIX)

        assert [shown(change) for change in found.changes] == ["v1 verified", "v2 verified", "v3 verified"]

    def test_hotfix_after_more_than_a_day_says_nothing(self) -> None:
        late = ("3-09:11 started v3", "3-09:15 deployed v3", "3-09:20 verified v3")

        found = read(*WORKING, *self.V2, *late, hotfixes=("v3",))

        assert [shown(change) for change in found.changes] == ["v1 verified", "v2 verified", "v3 verified"]
        assert found.incidents == ()

    def test_hotfix_after_a_rollback_is_about_the_release_that_came_back(self) -> None:
        back = ("2-10:00 rollback v1", "2-10:01 started v1", "2-10:04 deployed v1", "2-10:05 verified v1")

        found = read(*WORKING, *self.V2, *back, *self.FIX, hotfixes=("v3",))

        assert [shown(change) for change in found.changes] == ["v1 verified", "v2 rollback", "v3 verified"]

    def test_hotfix_that_was_killed_and_typed_again_is_one(self) -> None:
        again = ("3-09:00 started v3", "3-09:02 abandoned v3", "3-09:03 started v3", *self.FIX[1:])

        found = read(*WORKING, *self.V2, *again, hotfixes=("v3",))

        assert [shown(change) for change in found.changes] == ["v1 verified", "v2 hotfix", "v3 verified"]
        assert len(found.incidents) == 1

    def test_hotfix_of_a_hotfix(self) -> None:
        second = ("3-12:00 started v4", "3-12:05 deployed v4", "3-12:10 verified v4")

        found = read(*WORKING, *self.V2, *self.FIX, *second, hotfixes=("v3", "v4"))

        assert [shown(change) for change in found.changes][1:] == ["v2 hotfix", "v3 hotfix", "v4 verified"]
        assert [length(incident) for incident in found.incidents] == ["v2 1445m v3", "v3 185m v4"]


def test_order_is_that_of_the_numbers_when_clocks_differ() -> None:
    """The second machine's clock is an hour behind."""
    found = read(*WORKING, "2-09:00 started v2", "2-09:05 deployed v2", "2-08:10 failed v2", "2-08:15 verified v2")

    assert [shown(change) for change in found.changes] == ["v1 verified", "v2 verification"]
    assert [length(incident) for incident in found.incidents] == ["v2 0m v2"]


def test_times_of_a_change() -> None:
    (change,) = read(*WORKING).changes

    assert (change.started_at, change.verified_at) == (moment("1-09:00"), moment("1-09:10"))
    assert change.decided_at == moment("1-09:10")
    assert read("1-09:00 started v1").changes[0].decided_at is None


def test_environment_without_entries() -> None:
    assert read() == EnvironmentChanges(environment="prod")
