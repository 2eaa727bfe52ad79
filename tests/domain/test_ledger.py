"""Questions to the ledger of an environment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import (
    UNKNOWN_TIME,
    Event,
    LedgerEntry,
    failure_before_rollback,
    find_standing_failure,
    latest_deployment_entry,
    median_deploy_seconds,
    open_deployment,
    open_rollback,
    release_to_leave,
    rollback_candidates,
    serving_entry,
    verifications,
    written_since,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def history(*said: str) -> tuple[LedgerEntry, ...]:
    """Return entries, newest first, from `event version` in the order in which they were written."""
    written = [
        LedgerEntry(
            environment="staging",
            event=Event(event),
            version=version,
            commit="c" * 40,
            digest=f"sha256:{version}",
            at=NOON + timedelta(minutes=minute),
            actor="ada@laptop",
        )
        for minute, (event, version) in enumerate(each.split() for each in said)
    ]
    return tuple(reversed(written))


@pytest.mark.parametrize(
    ("minutes", "kept"),
    [
        ((0, 5, 9), (5, 9)),
        ((0, 9, 4, 6), (9, 6)),
        ((4, None, 9), (9,)),
        ((5, None, 9), (5, None, 9)),
        ((4, 9, None), (9, None)),
        ((None, None), ()),
        ((), ()),
    ],
)
def test_span_has_entries_of_unknown_times_only_after_one_of_its_own(
    minutes: tuple[int | None, ...], kept: tuple[int | None, ...]
) -> None:
    entries = [
        evolve(entry, at=UNKNOWN_TIME if minute is None else NOON + timedelta(minutes=minute))
        for entry, minute in zip(history(*["verified v1"] * len(minutes)), reversed(minutes), strict=True)
    ]

    found = written_since(entries, NOON + timedelta(minutes=5))

    assert [None if entry.at == UNKNOWN_TIME else entry.at.minute for entry in reversed(found)] == [*kept]


def told(entry: LedgerEntry | None) -> str:
    """Return an entry as `event version`; empty for None."""
    return f"{entry.event} {entry.version}" if entry else ""


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ((), ""),
        (("started v1",), "started v1"),
        (("verified v1", "failed v2"), "failed v2"),
        (("verified v1", "rollback v0"), "verified v1"),
        (("rollback v0",), ""),
        (("verified v1", "started v2", "abandoned v2"), "abandoned v2"),
    ],
)
def test_latest_deployment_entry_skips_rollback_intents(said: tuple[str, ...], last: str) -> None:
    assert told(latest_deployment_entry(history(*said))) == last


@pytest.mark.parametrize(
    ("said", "serves"),
    [
        ((), ""),
        (("started v1", "failed v1"), ""),
        (("started v1", "deployed v1", "started v2"), "deployed v1"),
        (("deployed v1", "verified v1", "started v2", "failed v2"), "verified v1"),
        (("verified v1", "deployed v2", "rollback v1"), "deployed v2"),
        (("verified v1", "started v2", "abandoned v2"), "verified v1"),
    ],
)
def test_serving_entry_skips_intents_and_failures(said: tuple[str, ...], serves: str) -> None:
    assert told(serving_entry(history(*said))) == serves


@pytest.mark.parametrize(
    ("said", "other_than", "found"),
    [
        ((), "", []),
        (("deployed v1", "failed v1"), "", []),
        (("verified v1", "verified v2", "verified v3"), "v3", ["v2", "v1"]),
        (("verified v1", "verified v2", "verified v1"), "v2", ["v1"]),
        (("verified v1", "verified v2", "verified v1"), "", ["v1", "v2"]),
        (("verified v1", "deployed v2"), "v2", ["v1"]),
        (("verified v1", "started v2", "abandoned v2"), "", ["v1"]),
        (("verified v1", "verified v2", "failed v2", "verified v3"), "v3", ["v1"]),
        (("verified v1", "verified v2", "verified v3", "rollback v2", "verified v2"), "v2", ["v1"]),
    ],
)
def test_rollback_candidates_are_verified_releases_once_each(
    said: tuple[str, ...], other_than: str, found: list[str]
) -> None:
    entries = rollback_candidates(history(*said), excluded_digest=f"sha256:{other_than}")

    assert [entry.version for entry in entries] == found


@pytest.mark.parametrize(
    ("said", "standing", "withdrawn"),
    [
        ((), "", ""),
        (("deployed v1",), "", ""),
        (("verified v1", "verified v2"), "v2 v1", ""),
        (("verified v1", "failed v1"), "", "v1 by failed v1"),
        (("verified v1", "started v1", "deployed v1", "failed v1", "verified v1"), "v1", ""),
        (("verified v1", "started v1", "abandoned v1"), "v1", ""),
        (("verified v1", "started v2", "failed v2"), "v1", ""),
        (("verified v1", "verified v2", "rollback v1", "verified v1"), "v1", "v2 by rollback v1"),
        (("verified v1", "verified v2", "rollback v1", "verified v1", "verified v2"), "v2 v1", ""),
        (("verified v1", "verified v2", "failed v2", "rollback v1"), "v1", "v2 by failed v2"),
        (("verified v1", "verified v2", "verified v3", "rollback v1"), "v2 v1", "v3 by rollback v1"),
        (("verified v1", "verified v2", "verified v1", "started v2", "rollback v1"), "v1", "v2 by rollback v1"),
        (("verified v2", "rollback v1", "started v1", "failed v1", "rollback v1"), "", "v2 by rollback v1"),
        (("verified v1", "rollback v1"), "v1", ""),
        (("verified v1", "configured v1", "restored v1"), "v1", ""),
    ],
)
def test_verification_stands_until_the_release_fails_or_is_rolled_back(
    said: tuple[str, ...], standing: str, withdrawn: str
) -> None:
    found = verifications(history(*said))

    assert " ".join(each.entry.version for each in found if not each.withdrawal) == standing
    taken_back = [f"{each.entry.version} by {told(each.withdrawal)}" for each in found if each.withdrawal]
    assert " ".join(taken_back) == withdrawn


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ((), ""),
        (("verified v1",), "verified v1"),
        (("verified v1", "started v2"), "started v2"),
        (("verified v1", "started v2", "failed v2"), "verified v1"),
        (("verified v1", "deployed v2", "failed v2"), "deployed v2"),
    ],
)
def test_rollback_leaves_what_is_being_deployed_or_serving(said: tuple[str, ...], left: str) -> None:
    assert told(release_to_leave(history(*said))) == left


def test_rollback_candidate_is_the_newest_verification() -> None:
    entries = history("verified v1", "verified v2", "verified v1")

    assert rollback_candidates(entries, excluded_digest="")[0] is entries[0]


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ((), ""),
        (("verified v1", "verified v2"), ""),
        (("verified v1", "verified v2", "rollback v1"), "rollback v1"),
        (("verified v2", "rollback v1", "started v1", "failed v1"), "rollback v1"),
        (("verified v2", "rollback v1", "started v1", "deployed v1", "verified v1"), "rollback v1"),
        (("verified v2", "rollback v1", "verified v1", "started v3"), ""),
        (("rollback v1", "verified v1", "verified v2", "rollback v1"), "rollback v1"),
        (("rollback v1", "rollback v0"), "rollback v0"),
        (("started v2", "rollback v1", "abandoned v2", "started v1"), "rollback v1"),
    ],
)
def test_rollback_is_open_until_another_release_is_deployed(said: tuple[str, ...], back: str) -> None:
    assert told(open_rollback(history(*said))) == back


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        (("verified v1", "deployed v2", "failed v2", "rollback v1", "started v1", "verified v1"), "failed v2"),
        (("verified v1", "deployed v2", "failed v2", "rollback v1", "verified v1", "verified v3"), ""),
        (("verified v1", "verified v2", "rollback v1", "verified v1"), ""),
        (("verified v1", "failed v1", "rollback v1", "verified v1"), ""),
        (("verified v1", "deployed v2", "failed v2"), ""),
    ],
)
def test_rollback_answers_a_failure_until_another_release_is_deployed(said: tuple[str, ...], failed: str) -> None:
    assert told(failure_before_rollback(history(*said))) == failed


@pytest.mark.parametrize(
    ("said", "open_one"),
    [
        ((), ""),
        (("verified v1", "started v2"), "started v2"),
        (("started v2", "rollback v1"), "started v2"),
        (("started v2", "deployed v2"), ""),
        (("started v2", "failed v2"), ""),
        (("started v2", "abandoned v2", "rollback v1"), ""),
    ],
)
def test_deployment_is_open_until_it_has_an_outcome(said: tuple[str, ...], open_one: str) -> None:
    assert told(open_deployment(history(*said))) == open_one


def test_median_duration_is_that_of_the_last_five_known_durations() -> None:
    written, took = history(*["deployed v1"] * 7), (245, 250, 230, 900, 0, 240, 10)
    deployed = [evolve(entry, took=seconds) for entry, seconds in zip(written, took, strict=True)]

    assert median_deploy_seconds(deployed) == 245
    assert median_deploy_seconds([evolve(deployed[0], event=Event.FAILED)]) is None
    assert median_deploy_seconds(history("deployed v1")) is None


def test_entries_of_later_versions_decide_nothing() -> None:
    rollback, verified = history("verified v1", "rollback v1")
    unknown = evolve(verified, event=Event.UNKNOWN, unknown_event="quarantined", digest="sha256:v2")

    assert unknown.event_name == "quarantined"
    assert latest_deployment_entry([unknown]) is None
    assert serving_entry([unknown]) is None
    assert verifications([unknown]) == ()
    assert open_rollback([unknown, rollback]) == rollback


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ((), ""),
        (("verified v1", "started v2"), ""),
        (("verified v1", "started v2", "deployed v2"), ""),
        (("verified v1", "started v2", "failed v2"), "failed v2"),
        (("verified v1", "started v2", "abandoned v2"), ""),
        (("verified v1", "deployed v2", "failed v2", "rollback v1", "deployed v1", "verified v1"), "rollback v1"),
        (("verified v1", "deployed v2", "rollback v1", "started v1"), "rollback v1"),
        (("verified v1", "deployed v2", "failed v2", "rollback v1", "verified v1", "started v2"), ""),
        (("verified v1", "deployed v2", "failed v2", "rollback v1", "verified v1", "started v2", "verified v2"), ""),
        (("verified v2", "failed v1"), ""),
    ],
)
def test_failure_stands_until_the_release_is_deployed_again(said: tuple[str, ...], failure: str) -> None:
    assert told(find_standing_failure(history(*said), "v2")) == failure
