"""What `rehearse` builds images with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli.handlers.local import rehearse
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.ports.types import BuildObstacle, Engine
from kaizen_tasks.wiring import Toolbox
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.plan import RehearsalPlan

DOCKER = Engine(name="docker")
NO_SECRET = Engine(name="docker", obstacles=(BuildObstacle(message="the secret token has no value", fix="set it"),))
NO_ENGINE = Refused("no container engine works here")


def make_plan(flow: str = "", like: str = "", engine: str = "auto") -> RehearsalPlan:
    """Return the plan for an app on this machine."""
    tools = Toolbox(settings(), dry=False, draft=False, stream=io.StringIO())
    return rehearse._make_plan(tools, flow, like, engine, io.StringIO(), Path("work"), keep=False)


def use_machine(monkeypatch: pytest.MonkeyPatch, outcome: Engine | Refused) -> None:
    """Let an engine be found, or none."""

    def find(*_arguments: object) -> Engine:
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    monkeypatch.setattr(rehearse, "examine_engine", find)
    monkeypatch.setattr(rehearse, "detect_engine", find)
    monkeypatch.setattr(rehearse, "_find_foreign_platform", lambda *_: "")


@pytest.mark.parametrize(
    ("machine", "requested", "engine", "reason"),
    [
        (DOCKER, "auto", "docker", ""),
        (NO_ENGINE, "auto", "stand-in", "no container engine works here"),
        (NO_SECRET, "auto", "stand-in", "the secret token has no value"),
        (NO_SECRET, "docker", "docker", ""),
    ],
    ids=["a machine that builds", "no engine", "an obstacle", "an obstacle that is insisted on"],
)
def test_an_image_that_cannot_be_built_here_is_replaced(
    monkeypatch: pytest.MonkeyPatch, machine: Engine | Refused, requested: str, engine: str, reason: str
) -> None:
    use_machine(monkeypatch, machine)

    plan = make_plan(engine=requested)

    assert (plan.engine, plan.stand_in_reason, plan.insists) == (engine, reason, requested != "auto")
    assert isinstance(plan.out, io.StringIO)
    assert plan.out.getvalue().count("\n") == bool(reason)


def test_an_engine_that_is_insisted_on_must_work(monkeypatch: pytest.MonkeyPatch) -> None:
    use_machine(monkeypatch, NO_ENGINE)

    with pytest.raises(Refused):
        make_plan(engine="docker")


@pytest.mark.parametrize(("flow", "like"), [("rollback --env prd", ""), ("", "prd"), ("", "beta")])
def test_typed_values_are_checked_before_anything_else(monkeypatch: pytest.MonkeyPatch, flow: str, like: str) -> None:
    use_machine(monkeypatch, Refused("is not asked"))

    with pytest.raises(UsageError):
        make_plan(flow=flow, like=like)
