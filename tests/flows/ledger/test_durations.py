"""Typical durations of releases."""

from __future__ import annotations

from datetime import timedelta

from attrs import define

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.flows.ledger import durations
from tests.fakes.clock import START
from tests.fakes.ledger import FakeLedger
from tests.fakes.tools import FakeTools


@define
class DeafLedger(FakeLedger):
    """A ledger that does not answer."""

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Fail."""
        raise Unreachable("DynamoDB does not answer")


def told(*events: tuple[Event, int, str]) -> FakeTools:
    """Return tools whose ledger has these events of mark, each with its second and digest."""
    tools = FakeTools()
    for event, second, digest in events:
        tools.ledger.append(
            LedgerEntry(
                environment="mark",
                event=event,
                version="v1.2.3",
                commit="c" * 40,
                digest=digest,
                at=START + timedelta(seconds=second),
                actor="ada@laptop",
            )
        )
    return tools


def test_duration_is_unknown_without_a_release() -> None:
    assert durations.median_release_seconds("mark", told()) is None
    assert durations.median_release_seconds("mark", FakeTools(ledger=DeafLedger())) is None


def test_duration_is_the_median_of_recent_releases() -> None:
    tools = told(
        (Event.STARTED, 0, "a"), (Event.DEPLOYED, 5, "a"), (Event.VERIFIED, 7, "a"),
        (Event.STARTED, 100, "b"), (Event.DEPLOYED, 105, "b"), (Event.VERIFIED, 190, "b"),
        (Event.STARTED, 200, "c"), (Event.DEPLOYED, 205, "c"), (Event.VERIFIED, 209, "c"),
    )  # fmt: skip

    assert durations.median_release_seconds("mark", tools) == 9


def test_failed_releases_do_not_count() -> None:
    tools = told(
        (Event.STARTED, 0, "a"), (Event.FAILED, 900, "a"),
        (Event.VERIFIED, 1000, "a"),
        (Event.STARTED, 2000, "b"), (Event.DEPLOYED, 2003, "b"), (Event.VERIFIED, 2004, "b"),
        (Event.VERIFIED, 9000, "b"),
    )  # fmt: skip

    assert durations.median_release_seconds("mark", tools) == 4
