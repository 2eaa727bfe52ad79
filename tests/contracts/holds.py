"""What every Holds does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.hold import Hold
from tests.fakes.clock import START, FakeClock

if TYPE_CHECKING:
    from datetime import datetime

    from kaizen_tasks.ports.state import Holds

WEEK = timedelta(days=7)


def hold(environment: str = "mark", *, at: datetime = START, reason: str = "hotfix, she said: ünïcödé") -> Hold:
    """Return a hold of one week with a value in every attribute."""
    since = at.replace(microsecond=123456)
    return Hold(environment=environment, reason=reason, actor="ada@workshop", since=since, until=since + WEEK)


class HoldsContract:
    """Subclasses provide the fixtures `holds`, which is empty, and `clock`."""

    def test_knows_of_none_at_first(self, holds: Holds) -> None:
        holds.add(hold("dom"))

        assert holds.get("mark") is None

    def test_added_hold_is_returned(self, holds: Holds) -> None:
        assert holds.add(hold()) == hold()
        assert holds.get("mark") == hold()

    def test_run_of_a_hold_is_returned(self, holds: Holds) -> None:
        written = evolve(hold(), run_url="https://ci.example/7")
        holds.add(written)

        assert holds.get("mark") == written

    def test_get_many_returns_several_environments(self, holds: Holds, clock: FakeClock) -> None:
        over = evolve(hold("dom"), until=clock.now() + timedelta(seconds=1))
        for each in (hold("mark"), hold("eve"), over):
            holds.add(each)
        clock.sleep(2)

        assert holds.get_many(["dom", "shane", "mark"]) == {"mark": hold("mark")}

    def test_needs_no_end(self, holds: Holds, clock: FakeClock) -> None:
        endless = evolve(hold(), until=None)
        holds.add(endless)
        clock.advance(400 * WEEK.total_seconds())

        assert holds.get("mark") == endless

    def test_add_returns_the_existing_hold(self, holds: Holds) -> None:
        holds.add(hold())

        assert holds.add(hold(reason="another")) == hold()
        assert holds.get("mark") == hold()

    def test_adds_a_hold_once_when_the_answer_was_lost(self, holds: Holds) -> None:
        holds.add(hold())

        assert holds.add(hold()) == hold()

    def test_expired_hold_is_absent(self, holds: Holds, clock: FakeClock) -> None:
        holds.add(hold())
        clock.advance(WEEK.total_seconds())
        assert holds.get("mark") == hold()
        clock.advance(1)

        assert holds.get("mark") is None
        assert holds.remove("mark") is None

    def test_expired_hold_can_be_replaced(self, holds: Holds, clock: FakeClock) -> None:
        holds.add(hold())
        clock.advance(WEEK.total_seconds() + 1)
        again = evolve(hold(at=clock.now(), reason="another"), until=None)

        assert holds.add(again) == again
        assert holds.get("mark") == again

    def test_removes_one_and_says_which(self, holds: Holds) -> None:
        holds.add(hold())

        assert holds.remove("mark") == hold()
        assert holds.get("mark") is None
        assert holds.remove("mark") is None

    def test_removes_no_other(self, holds: Holds) -> None:
        holds.add(hold("mark"))
        holds.add(hold("mark-eu"))
        holds.remove("mark")

        assert holds.get("mark-eu") == hold("mark-eu")
