"""What `status` and `history` print, and how they exit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import commands
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.ledger import entries
from tests.contracts.locks import wanted
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeTools, Release]:
    """The tools of every command, and the release that staging serves, verified; nothing was released elsewhere."""
    tools = FakeTools()
    released = release(tools)
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: tools)
    return tools, released


def run(task: Any, **flags: object) -> None:
    """Run a task."""
    task.body(Context(), **flags)


def test_check_is_green_where_nothing_differs_or_nothing_was_released(world: tuple[FakeTools, Release]) -> None:
    tools, _ = world

    run(commands.status, check=True)

    assert tools.reporter.lines[-1] == "no drift in 5 environments"


def test_check_says_in_one_line_what_differs(
    world: tuple[FakeTools, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    tools, released = world
    for name in ("staging", "mark"):
        entries.append(Event.STARTED, tools.settings.environments[name], released, tools)

    with pytest.raises(Exit) as left:
        run(commands.status, check=True)

    assert left.value.code == 9
    error, hint = (left.value.message or "").splitlines()
    assert error.startswith("error: drift in 2 environments: staging, mark: v0.2.0 is started, not verified; ")
    assert hint == "inv status shows all of it"
    assert capsys.readouterr().out == ""


def test_check_leaves_alone_what_a_run_is_changing(world: tuple[FakeTools, Release]) -> None:
    tools, released = world
    entries.append(Event.STARTED, tools.settings.environments["staging"], released, tools)
    tools.locks.acquire(evolve(wanted(environment="staging"), expires=tools.clock.now() + timedelta(minutes=1)))

    run(commands.status, check=True)

    assert tools.reporter.lines[-1] == "no drift in 5 environments"


@pytest.mark.usefixtures("world")
def test_check_does_not_watch() -> None:
    with pytest.raises(Exit) as left:
        run(commands.status, check=True, watch=True)

    assert left.value.code == 2


def test_history_shows_one_row_for_each_deployment(
    world: tuple[FakeTools, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    _, released = world

    run(commands.history, env=["staging"])

    _, _, row = capsys.readouterr().out.splitlines()
    assert row.split()[2:6] == ["staging", "v0.2.0", released.commit[:7], "verified"]
