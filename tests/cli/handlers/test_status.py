"""What `status` and `history` print, and how they exit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import commands
from kaizen_tasks.domain.hold import Hold
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


def test_status_of_what_has_changed_counts_the_rest(
    world: tuple[FakeTools, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    tools, _ = world
    tools.clock.advance(3600)

    run(commands.status, since="2h")
    changed = capsys.readouterr().out
    run(commands.status, since="30m")
    unchanged = capsys.readouterr().out

    assert "staging" in changed
    assert "prod" not in changed
    assert changed.splitlines()[-1] == "4 environments have not changed since 2026-11-20 11:00 UTC"
    assert unchanged == "5 environments have not changed since 2026-11-20 12:30 UTC\n"


def test_lock_and_hold_are_changes_too(world: tuple[FakeTools, Release], capsys: pytest.CaptureFixture[str]) -> None:
    tools, _ = world
    tools.clock.advance(3600)
    tools.locks.acquire(wanted(environment="mark", at=tools.clock.now()))
    tools.holds.add(Hold(environment="dom", reason="race day", actor="ada@laptop", since=tools.clock.now()))

    run(commands.status, since="30m", json=True)

    document = json.loads(capsys.readouterr().out)
    assert document["since"].startswith("2026-11-20T12:30:0")
    assert [*document["environments"]] == ["mark", "dom"]


def test_check_of_what_has_changed(world: tuple[FakeTools, Release]) -> None:
    tools, released = world
    entries.append(Event.STARTED, tools.settings.environments["mark"], released, tools)
    tools.clock.advance(3600)

    run(commands.status, check=True, since="30m")

    assert tools.reporter.lines[-1] == "no drift in 0 environments that have changed since then"
    with pytest.raises(Exit) as left:
        run(commands.status, check=True, since="2h")
    assert left.value.code == 9


@pytest.mark.usefixtures("world")
def test_status_of_a_release(capsys: pytest.CaptureFixture[str]) -> None:
    run(commands.status, release="0.2.0")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[2:3]] == [
        ["✓", "staging", "verified", "2026-11-20", "12:00", "ada@laptop", "v0.2.0"]
    ]
    last_lines = " ".join(line.strip() for line in lines[-2:]).strip()
    assert last_lines == "v0.2.0 runs in 1 of 1 environment where its deployment began; 4 others never had one"


@pytest.mark.usefixtures("world")
def test_status_of_a_release_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    run(commands.status, release="v0.2.0", json=True)

    document = json.loads(capsys.readouterr().out)
    record = document["environments"]["staging"]["release"]
    assert document["release"] == "v0.2.0"
    assert (record["running"], record["outcome"], record["withdrawal"]) == (True, "verified", None)
    assert (record["first"]["event"], record["last"]["event"]) == ("started", "verified")


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ({"release": "v0.2.1"}, "error: v0.2.1 is not in the history of 5 environments"),
        ({"release": "v0.2.0", "since": "2h"}, "error: --release shows one release, and --since what runs"),
        ({"release": "v0.2.0", "watch": True}, "error: --release shows one release, and --watch what runs"),
        ({"since": "soon"}, "error: --since soon: neither a length of time nor an ISO date or time"),
        ({"release": "latest"}, "error: --release: 'latest' is not a version"),
    ],
)
@pytest.mark.usefixtures("world")
def test_flags_of_status_that_mean_nothing(flags: dict[str, object], error: str) -> None:
    with pytest.raises(Exit) as left:
        run(commands.status, **flags)

    assert left.value.code == 2
    assert (left.value.message or "").splitlines()[0] == error


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"since": "30m"}, "nothing was released since 2026-11-20 12:30 UTC"),
        ({"since": "30m", "release": "0.2.0"}, "nothing happened with v0.2.0 since 2026-11-20 12:30 UTC"),
        ({"env": ["prod"]}, "nothing was released yet"),
    ],
)
def test_history_says_that_there_is_none(
    world: tuple[FakeTools, Release], flags: dict[str, object], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tools, _ = world
    tools.clock.advance(3600)

    run(commands.history, **flags)

    assert capsys.readouterr().out == f"{text}\n"
