"""A migration that is interrupted at any change, and typed again, ends as one that was not interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.flows.locking.mutations import guarded_calls
from kaizen_tasks.flows.migration import retire, undo
from tests.flows.migration.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGES = 2
"""Changes of each command, beside its lock: an entry of the ledger, and a service."""

PORTS = ("ledger", "migration_source", "migration_target")


class Killed(BaseException):
    """The process is gone."""


def _move(scenario: Scenario) -> None:
    scenario.move()


def _retire(scenario: Scenario) -> None:
    _end(scenario, deletes=False)


def _delete(scenario: Scenario) -> None:
    _end(scenario, deletes=True)


def _end(scenario: Scenario, *, deletes: bool) -> None:
    environment, tools = scenario.environment(), scenario.tools
    change = retire.plan_retirement([environment], tools, deletes=deletes, command_line="again", is_asserted=True)
    scenario.run(change)


def _undo(scenario: Scenario) -> None:
    ongoing = [retire.find_ongoing(scenario.environment(), scenario.tools)]
    scenario.run(undo.plan_undo(ongoing, scenario.tools, command_line="again"))


def _moved(scenario: Scenario) -> None:
    scenario.move()
    scenario.configure("mark", platform="ecs-express")


def _retired(scenario: Scenario) -> None:
    _moved(scenario)
    _retire(scenario)


COMMANDS: dict[str, tuple[Callable[[Scenario], object], Callable[[Scenario], object]]] = {
    "move": (lambda _: None, _move),
    "retire": (_moved, _retire),
    "delete": (_retired, _delete),
    "undo": (Scenario.move, _undo),
}


def _state(scenario: Scenario) -> tuple[object, ...]:
    tools = scenario.tools
    platforms = (tools.platform, tools.migration_target.platform)
    services = [{name: (each.status, each.image) for name, each in platform.services.items()} for platform in platforms]
    deployments = {name: len(history) for name, history in tools.migration_target.platform.history.items()}
    return (services, deployments, scenario.events(), tools.locks.get("mark"))


def _kill_at(scenario: Scenario, number: int, *, late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process be killed before a change, or after it without its answer."""
    count, is_inside = 0, False

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def killing(*args: object, **kwargs: object) -> object:
            nonlocal count, is_inside
            if is_inside:  # one change is made of another
                return call(*args, **kwargs)
            count += 1
            if count == number and not late:
                raise Killed
            is_inside = True
            try:
                result = call(*args, **kwargs)
            finally:
                is_inside = False
            if count == number:
                raise Killed
            return result

        return killing

    for port in PORTS:
        cls = type(getattr(scenario.tools, port))
        for name in guarded_calls()[port]:
            monkeypatch.setattr(cls, name, wrap(getattr(cls, name)))


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, CHANGES + 1))
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_a_change_and_typed_again(
    command: str, number: int, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, run = COMMANDS[command]
    expected, scenario = Scenario(), Scenario()
    for each in (expected, scenario):
        prepare(each)
    run(expected)

    with monkeypatch.context() as patch:
        _kill_at(scenario, number, late=late, monkeypatch=patch)
        with pytest.raises(Killed):
            run(scenario)
    if scenario.events() != expected.events() or command in {"move", "retire"}:
        run(scenario)  # `delete` and `undo` find nothing that is under way any more

    assert _state(expected) == _state(scenario)
