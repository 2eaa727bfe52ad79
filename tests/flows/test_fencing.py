"""Nothing is changed once the lock is lost, also not in the middle of an act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Locked
from kaizen_tasks.flows.fencing import CHANGING, guarded
from kaizen_tasks.flows.locking import LEASE, holding
from kaizen_tasks.flows.runner import fenced, run
from tests.fakes.tools import FakeTools
from tests.flows.test_runner import START, FakeStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports import Tools

CALLS = [(port, call) for port, calls in CHANGING.items() for call in sorted(calls)]


def refuse() -> None:
    """Be the check of a run that has lost its lock."""
    raise Locked("lost")


@pytest.mark.parametrize(("port", "call"), CALLS)
def test_lets_nothing_be_changed_without_the_lock(port: str, call: str) -> None:
    with pytest.raises(Locked):
        getattr(getattr(guarded(FakeTools(), refuse), port), call)


@pytest.mark.parametrize(("port", "call"), CALLS)
def test_lets_everything_through_with_the_lock(port: str, call: str) -> None:
    tools = FakeTools()
    assert getattr(getattr(guarded(tools, lambda: None), port), call) == getattr(getattr(tools, port), call)


def test_lets_a_run_look_on_without_the_lock() -> None:
    tools = guarded(FakeTools(), refuse)
    assert tools.registry.image("staging-web-app", "latest") is None
    assert tools.settings.app == "web"


def test_stops_in_the_middle_of_an_act() -> None:
    class Drowsy(FakeStep):
        def act(self, release: Release, tools: Tools) -> Release:
            tools.clock.sleep(LEASE)
            tools.platform.start(tools.platform.service("staging-web-service"))
            return release

    tools = FakeTools()
    with (
        pytest.raises(Locked, match="not renewed in time"),
        holding(["staging"], tools, command="deploy") as fence,
    ):
        run((Drowsy(),), START, tools, fenced(fence))
    assert tools.platform.operations(tools.platform.service("staging-web-service")) == ()
