"""What the step at work is doing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from kaizen_tasks.ports import activity
from kaizen_tasks.ports.activity import observing_activity, report_activity
from tests.fakes.activity import FakeObserver
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    import pytest


def test_reaches_the_innermost_observer() -> None:
    outer, inner = FakeObserver(), FakeObserver()

    with observing_activity(outer):
        with observing_activity(inner):
            report_activity("a line")
        report_activity("1 MB of 2 MB", replaces=True)

    assert (inner.lines, inner.states) == (["a line"], [])
    assert (outer.lines, outer.states) == ([], ["1 MB of 2 MB"])


def test_outside_of_a_step_nobody_is_told() -> None:
    report_activity("a line")


def test_another_thread_takes_the_observer_along_only_with_its_context() -> None:
    observer = FakeObserver()

    with observing_activity(observer), ThreadPoolExecutor(1) as executor:
        executor.submit(report_activity, "lost").result()
        executor.submit(copy_context().run, report_activity, "found").result()

    assert observer.lines == ["found"]


def test_state_is_reported_again_and_again_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "INTERVAL_SECONDS", 0.001)
    observer, is_second = FakeObserver(), threading.Event()
    states = ["", "1 MB of 2 MB"]

    def describe() -> str:
        if states:
            return states.pop(0)
        is_second.set()
        return "2 MB of 2 MB"

    with observing_activity(observer), activity.reporting_state(describe):
        assert is_second.wait(HANG_SECONDS)

    assert observer.states[0] == "1 MB of 2 MB"
    assert set(observer.states[1:]) == {"2 MB of 2 MB"}
