"""The fake ledger keeps a ledger's promises."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.ledger import Event
from tests.contracts.ledger import LedgerContract, entry
from tests.fakes.ledger import FakeLedger


class TestContract(LedgerContract):
    @pytest.fixture
    def ledger(self) -> FakeLedger:
        return FakeLedger()


def test_of_the_same_moment_the_last_written_comes_first() -> None:
    ledger = FakeLedger()
    for event in (Event.STARTED, Event.DEPLOYED):
        ledger.append(entry(event=event))

    assert [each.event for each in ledger.entries("staging")] == [Event.DEPLOYED, Event.STARTED]
