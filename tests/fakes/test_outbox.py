"""The fake outbox keeps the contract."""

from __future__ import annotations

import pytest

from tests.contracts.outbox import OutboxContract
from tests.fakes.clock import FakeClock
from tests.fakes.holds import FakeHolds
from tests.fakes.ledger import FakeLedger
from tests.fakes.outbox import FakeOutbox


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def ledger(outbox: FakeOutbox) -> FakeLedger:
    return FakeLedger(outbox=outbox)


@pytest.fixture
def holds(outbox: FakeOutbox) -> FakeHolds:
    return FakeHolds(clock=FakeClock(), outbox=outbox)


class TestFake(OutboxContract):
    """The contract."""
