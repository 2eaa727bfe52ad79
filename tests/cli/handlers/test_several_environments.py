"""Commands for several environments: all are checked before the first is changed, and no error denies a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from invoke.context import Context

from kaizen_tasks.cli import commands
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.errors import Unreachable
from tests.cli.handlers.test_promote import typed, world

if TYPE_CHECKING:
    from tests.fakes.tools import FakeTools

MARK_AND_SHANE = ["mark", "shane"]
NO_VALUES: dict[str, object] = {"set_file": [], "set_stdin": []}
SET: dict[str, object] = {"set": ["AI_TEMPERATURE=0.4"], **NO_VALUES}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """Tools of an app whose every environment has v0.2.0, verified."""
    made = world(monkeypatch)
    commands.promote.body(Context(), env=["prod"], yes=True)
    commands.promote.body(Context(), env=["beta"])
    made.platform.started_services.clear()
    return made


@pytest.mark.parametrize(
    ("task", "flags"),
    [(commands.runtime["set"], SET), (commands.runtime["rollback"], {}), (commands.runtime["deploy"], {})],
    ids=["set", "rollback", "deploy"],
)
def test_hold_of_a_later_environment_refuses_a_configuration_change_before_the_first(
    tools: FakeTools, task: Any, flags: dict[str, object]
) -> None:
    hold = Hold(environment="shane", reason="a hotfix", actor="ada@laptop", since=tools.clock.now())
    tools.holds.add(hold)
    entry_count = len(tools.ledger.all_entries)

    error = typed(task, env=MARK_AND_SHANE, **flags)

    assert error.splitlines()[:2] == [f"4: shane is {hold}", "nothing has been changed"]
    assert (tools.secrets.writes, tools.platform.started_services) == ([], [])
    assert len(tools.ledger.all_entries) == entry_count


def test_unknown_release_of_a_later_environment_refuses_a_configuration_change_before_the_first(
    tools: FakeTools,
) -> None:
    tools.ledger.all_entries[:] = [entry for entry in tools.ledger.all_entries if entry.environment != "shane"]

    error = typed(commands.runtime["set"], env=MARK_AND_SHANE, **SET)

    assert error.startswith("3: shane: the ledger does not know")
    assert tools.secrets.writes == []


def test_configuration_change_that_a_later_environment_refuses_is_interrupted(tools: FakeTools) -> None:
    names = {name: environment.secret for name, environment in tools.settings.environments.items()}
    del tools.secrets.versions[names["shane"]]

    error = typed(commands.runtime["set"], env=["beta"], **SET)

    assert error.splitlines()[:2] == [
        f"130: there is no secret {names['shane']}",
        "done: mark; failed: shane; untouched: dom",
    ]
    assert tools.secrets.writes == [names["mark"]]


def test_removal_of_holds_that_is_cut_off_says_which_are_removed(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = tools.holds.remove

    def cut_off(environment: str) -> Hold | None:
        if environment == "shane":
            raise Unreachable("nobody answers")
        return remove(environment)

    for name in MARK_AND_SHANE:
        hold = Hold(environment=name, reason="a hotfix", actor="ada@laptop", since=tools.clock.now())
        tools.holds.add(hold)
    monkeypatch.setattr(tools.holds, "remove", cut_off)

    error = typed(commands.hold["remove"], env=MARK_AND_SHANE)

    assert error.splitlines()[:2] == [
        "130: nobody answers",
        "the same command goes on from here: the hold of mark is removed",
    ]


def test_push_that_a_later_repository_refuses_is_interrupted(tools: FakeTools) -> None:
    image = tools.registry.find_image("staging-web-app", "v0.2.0")
    assert image is not None
    tools.registry.repositories["mark-web-app"].tags.clear()
    tools.registry.put("shane-web-app", "v0.2.0", evolve(image, digest="sha256:" + "0" * 64, revision="another"))

    error = typed(commands.push, env=MARK_AND_SHANE)

    assert error.startswith("130: push shane: ")
    assert error.splitlines()[1] == "done: mark; failed: shane"


def test_rollback_without_a_release_in_a_later_environment_changes_nothing(tools: FakeTools) -> None:
    error = typed(commands.rollback, env=MARK_AND_SHANE)

    assert error.startswith("3: mark has no verified release before the serving one\nnothing has been changed")
    assert tools.platform.started_services == []


def test_rollback_announces_all_environments_once(tools: FakeTools) -> None:
    for name in MARK_AND_SHANE:
        verified = tools.ledger.entries(name)[0]
        image = tools.registry.find_image(f"{name}-web-app", "v0.2.0")
        assert image is not None
        older = evolve(verified, version="v0.1.0", digest="sha256:" + "1" * 64)
        tools.ledger.all_entries.insert(0, older)
        tools.registry.put(f"{name}-web-app", "v0.1.0", evolve(image, digest=older.digest))
    tools.dry = True

    commands.rollback.body(Context(), env=MARK_AND_SHANE)

    assert "web: roll back mark, shane to v0.1.0   (account 123456789012, eu-west-1)" in tools.reporter.lines
