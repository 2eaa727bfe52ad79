"""What became of a release in an environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release_record import ReleaseRecord, find_release_record
from tests.fakes.clock import START


def entries(*events: tuple[Event, str]) -> tuple[LedgerEntry, ...]:
    """Return entries a minute apart, newest first, each about a release."""
    written = [
        LedgerEntry(
            environment="prod",
            event=event,
            version=version,
            commit="c" * 40,
            digest=f"sha256:{version}",
            at=START + timedelta(minutes=index),
            actor="ada@laptop",
            reason="too slow" if event in {Event.FAILED, Event.ROLLBACK} else "",
        )
        for index, (event, version) in enumerate(events)
    ]
    return tuple(reversed(written))


DEPLOYED_1 = ((Event.STARTED, "v1.0.0"), (Event.DEPLOYED, "v1.0.0"), (Event.VERIFIED, "v1.0.0"))
DEPLOYED_2 = ((Event.STARTED, "v2.0.0"), (Event.DEPLOYED, "v2.0.0"), (Event.VERIFIED, "v2.0.0"))
BACK_TO_1 = ((Event.ROLLBACK, "v1.0.0"), *DEPLOYED_1)


def record(name: str, *events: tuple[Event, str]) -> ReleaseRecord:
    """Return the record of a release that has one."""
    found = find_release_record(entries(*events), name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("events", "outcome", "reason", "successor"),
    [
        (DEPLOYED_2, "verified", "", None),
        ((*DEPLOYED_1, *DEPLOYED_2[:1]), "started", "", None),
        ((*DEPLOYED_2, *DEPLOYED_1), "verified", "", "v1.0.0"),
        ((*DEPLOYED_1, (Event.STARTED, "v2.0.0"), (Event.FAILED, "v2.0.0")), "failed", "too slow", None),
        ((*DEPLOYED_1, *DEPLOYED_2, *BACK_TO_1), "rolled back", "too slow", "v1.0.0"),
        ((*DEPLOYED_2, (Event.WITHDRAWN, "v2.0.0")), "given up", "", None),
        ((*DEPLOYED_1, *DEPLOYED_2, *BACK_TO_1, *DEPLOYED_2), "verified", "", None),
    ],
)
def test_outcome_of_its_last_deployment(
    events: tuple[tuple[Event, str], ...], outcome: str, reason: str, successor: str | None
) -> None:
    found = record("v2.0.0", *events)

    assert (found.outcome, found.reason) == (outcome, reason)
    assert (found.successor.version if found.successor else None) == successor


def test_release_that_came_back_is_told_by_its_return() -> None:
    found = record("v1.0.0", *DEPLOYED_1, *DEPLOYED_2, *BACK_TO_1)

    assert (found.outcome, found.deployment.cause, found.successor) == ("verified", "rollback", None)


def test_environment_that_never_had_it_has_no_record() -> None:
    assert find_release_record(entries(*DEPLOYED_1), "v2.0.0") is None
    assert find_release_record((), "v2.0.0") is None
