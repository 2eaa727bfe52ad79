"""What `rehearse` builds images with, and its report."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.cli.handlers.local import rehearsal_report, rehearse
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.ports.host import BuildObstacle, Engine
from kaizen_tasks.rehearsal.clone import ScratchClone
from kaizen_tasks.rehearsal.runner import CommandRun, RehearsalReport
from kaizen_tasks.rehearsal.services import stand_ins
from kaizen_tasks.wiring import Toolbox
from tests.fakes.tools import settings
from tests.rehearsal.test_plan import plan

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

    monkeypatch.setattr(stand_ins, "examine_engine", find)
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


def test_the_report_of_many_environments_is_short() -> None:
    now = datetime.now(UTC)
    steps = tuple(
        RunEvent(type=EventType.FINISHED, time=now, step="deploy", environment=f"t{number}", seconds=number / 10)
        for number in range(60)
    )
    changes = {f"put t{number}-app:v1.2.3": 1 for number in range(60)}
    run = CommandRun(command="promote-beta", exit_code=0, error="", seconds=9, steps=steps, changes=changes)
    clone = ScratchClone(app_folder=Path("app"), remote=None, remote_name="", refusals=())
    report = RehearsalReport(
        plan=plan(Path("work"), "promote-beta"), clone=clone, command_runs=(run,), refs=(), compared_count=1234
    )

    lines = rehearsal_report.report_text(report).splitlines()

    assert lines[2] == (
        "  time  deploy t59 5.9s, deploy t58 5.8s, deploy t57 5.7s, deploy t56 5.6s, deploy t55 5.5s, deploy t54 5.4s"
        " and 53 more"
    )
    assert lines[-3] == "  AWS   and 40 more, which --json lists"
    assert lines[-2:] == [
        "not proven: that the app starts: earlier releases are stand-ins here, which only answer",
        "It would succeed, as far as stand-ins show. 1,234 files and refs of the repository are unchanged.",
    ]


def test_the_report_says_what_has_changed_meanwhile() -> None:
    run = CommandRun(command="status", exit_code=0, error="", seconds=1, steps=(), changes={})
    clone = ScratchClone(app_folder=Path("app"), remote=None, remote_name="", refusals=("this is a shallow clone",))
    report = RehearsalReport(
        plan=plan(Path("work"), "status"),
        clone=clone,
        command_runs=(run,),
        refs=(),
        compared_count=10,
        changed=("VERSION", "refs/tags/v1"),
    )

    assert rehearsal_report.report_text(report).splitlines()[-1] == (
        "Once that is settled, it would succeed. Of the repository's files and refs, 2 have changed meanwhile."
    )
    assert rehearsal_report.report_document(report)["changed"] == ["VERSION", "refs/tags/v1"]
