"""The cached ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.flows.ledger.cached import CachedLedger
from tests.contracts.ledger import NOON, LedgerContract, entry
from tests.fakes.ledger import FakeLedger

if TYPE_CHECKING:
    from collections.abc import Iterable


class TestContract(LedgerContract):
    @pytest.fixture
    def ledger(self) -> CachedLedger:
        return CachedLedger(FakeLedger(), frozenset({"staging"}))


@define
class Counted(FakeLedger):
    """A ledger that counts how often it is read."""

    reads: list[str] = field(factory=list)
    together: list[tuple[str, ...]] = field(factory=list)

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> dict[str, tuple[LedgerEntry, ...]]:
        """Note which are read together, and answer; nothing is known of `dom` in this way."""
        self.together.append(tuple(sorted(environments)))
        return {name: super(Counted, self).entries(name, limit=limit) for name in self.together[-1] if name != "dom"}

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Count, and answer."""
        self.reads.append(environment)
        return super().entries(environment, limit=limit)


@pytest.fixture
def behind() -> Counted:
    """The real ledger."""
    return Counted()


def test_cached_environments_are_read_once(behind: Counted) -> None:
    behind.append(entry())
    ledger = CachedLedger(behind, frozenset({"staging"}))
    intent = evolve(entry(event=Event.STARTED, at=NOON + timedelta(seconds=1)), operation="")

    assert ledger.entries("staging", limit=3) == (entry(),)
    ledger.append(intent)
    ledger.set_operation(intent, "6c7e")

    assert ledger.entries("staging") == behind.entries("staging") == (evolve(intent, operation="6c7e"), entry())
    assert behind.reads == ["staging", "staging"]


def test_other_environments_are_read_each_time(behind: Counted) -> None:
    ledger = CachedLedger(behind, frozenset({"staging"}))

    assert ledger.entries("prod") == ()
    behind.append(entry("prod"))

    assert ledger.entries("prod") == (entry("prod"),)


def test_longer_histories_are_read_each_time(behind: Counted) -> None:
    for minute in range(300):
        behind.append(entry(at=NOON + timedelta(minutes=minute)))
    ledger = CachedLedger(behind, frozenset({"staging"}))

    assert len(ledger.entries("staging", limit=20)) == 20
    assert len(ledger.entries("staging", limit=250)) == 250


def test_spans_are_read_each_time(behind: Counted) -> None:
    """The cache holds the newest entries alone."""
    for minute in range(300):
        behind.append(entry(at=NOON + timedelta(minutes=minute)))
    ledger = CachedLedger(behind, frozenset({"staging"}))
    ledger.entries("staging")

    assert len(ledger.entries_since("staging", NOON)) == 300


def test_failed_writes_are_not_cached(behind: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = CachedLedger(behind, frozenset({"staging"}))
    ledger.entries("staging")

    def unreachable(*_: object) -> None:
        raise Unreachable("down")

    monkeypatch.setattr(Counted, "append_all", unreachable)
    with pytest.raises(Unreachable):
        ledger.append(entry())

    assert ledger.entries("staging") == ()


def test_more_entries_are_read_when_they_are_asked_for(behind: Counted) -> None:
    """A dashboard of many environments needs few of each, and all that are searched of one."""
    for number in range(9):
        behind.append(entry(at=NOON + timedelta(seconds=number)))
    ledger = CachedLedger(behind, frozenset({"staging"}), 5)

    assert [len(ledger.entries("staging", limit=limit)) for limit in (3, 5, 5)] == [3, 5, 5]
    assert len(behind.reads) == 1
    assert [len(ledger.entries("staging", limit=limit)) for limit in (6, 200, 3)] == [6, 9, 3]
    assert len(behind.reads) == 2


def test_an_environment_with_fewer_entries_is_read_once(behind: Counted) -> None:
    behind.append(entry())
    ledger = CachedLedger(behind, frozenset({"staging"}), 5)

    assert [len(ledger.entries("staging", limit=limit)) for limit in (3, 200)] == [1, 1]
    assert len(behind.reads) == 1


def test_many_environments_are_read_together(behind: Counted) -> None:
    for name in ("prod", "mark", "dom"):
        behind.append(entry(name))
    ledger = CachedLedger(behind, frozenset({"prod", "mark", "dom"}))
    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(ledger.entries, ["prod", "mark"] * 3))
    ledger.append(entry("prod", event=Event.VERIFIED))

    assert [each.event for each in ledger.entries("prod", limit=200)] == [Event.VERIFIED, Event.DEPLOYED]
    assert (behind.together, behind.reads) == ([("dom", "mark", "prod")], [])
    assert ledger.entries("dom") == ledger.entries("dom") == (entry("dom"),)
    assert behind.reads == ["dom"]


def test_environments_are_read_one_by_one_when_they_cannot_be_read_together(
    behind: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind.append(entry("prod"))
    ledger = CachedLedger(behind, frozenset({"prod", "mark", "dom"}))

    def unreachable(*_: object, **__: object) -> None:
        raise Unreachable("down")

    monkeypatch.setattr(Counted, "recent_entries", unreachable)

    assert ledger.entries("prod") == (entry("prod"),)


def test_newest_entries_of_many_come_from_the_cache(behind: Counted) -> None:
    behind.append(entry("prod"))
    ledger = CachedLedger(behind, frozenset({"prod", "mark", "shane"}))

    assert ledger.recent_entries(["prod", "mark"]) == {"prod": (entry("prod"),), "mark": ()}
    assert ledger.recent_entries(["prod", "staging"], limit=300) == {"prod": (entry("prod"),), "staging": ()}
    assert behind.together == [("mark", "prod", "shane"), ("staging",)]
