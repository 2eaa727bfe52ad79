"""The commands and variables of a rehearsal; `tests/e2e` has whole rehearsals."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventType, RunEvent
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.cli.handlers.local import rehearsal_report
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal import runner
from kaizen_tasks.rehearsal.clone import ScratchClone
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud import registry as cloud_registry
from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from kaizen_tasks.rehearsal.runner import CommandRun, RehearsalReport
from kaizen_tasks.rehearsal.start import Start
from tests.fakes.clock import FakeClock
from tests.rehearsal.test_plan import plan

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.plan import RehearsalPlan

CLONE = ScratchClone(app_folder=Path("app"), remote=None, remote_name="", refusals=())


def test_finished_steps_are_the_steps_that_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, deploy = Release(version=parse_version("v1.2.3")), StepLabel("deploy", "staging")
    path = tmp_path / "events"
    monkeypatch.setenv(EVENTS_VARIABLE, str(path))
    reporter = create_reporter(io.StringIO(), dry=False, clock=FakeClock())
    reporter.heading("web v1.2.3 → staging")
    reporter.decided(StepLabel("preflight"), Done("nothing blocks the release", release))
    reporter.decided(StepLabel("bump"), Done("VERSION is 1.2.3", release))
    reporter.decided(deploy, Act("deploy it", release))
    reporter.progress(deploy, "IN_PROGRESS after 0.0s")
    reporter.succeeded(deploy, "was deployed", 200.5)
    reporter.checked(StepLabel("smoke", "staging"), "GET / answers HTTP 200", ok=True)
    reporter.failed(StepLabel("smoke", "staging"), 0.42)
    reporter.decided(StepLabel("copy", "prod"), Refuse(reasons=("there is no image",)))

    steps = runner.finished_steps(map(RunEvent.parse, path.read_text().splitlines()))

    assert [(str(step.label), step.verdict, step.seconds) for step in steps] == [
        ("preflight", "ok", None),
        ("bump", "already done", None),
        ("deploy staging", "done", 200.5),
        ("smoke staging", "failed", 0.42),
    ]


@pytest.mark.integration
def test_a_folder_outside_of_a_repository_is_refused_before_anything_is_created(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    outside = plan(work)

    with pytest.raises(Refused, match="not in a git repository"):
        runner.run_rehearsal(evolve(outside, settings=evolve(outside.settings, root=tmp_path)))

    assert list(work.iterdir()) == []


def command_run(command: str = "release-staging --yes", code: int = 0, error: str = "", *steps: str) -> CommandRun:
    """Return a command that was run."""
    now = datetime.now(UTC)
    events = (RunEvent(type=EventType.FINISHED, time=now, step=step, verdict="done") for step in steps)
    return CommandRun(command=command, exit_code=code, error=error, seconds=0, steps=tuple(events), changes={})


@pytest.mark.parametrize("failure", [RuntimeError("of the setup"), KeyboardInterrupt()])
def test_the_cloud_of_a_rehearsal_that_did_not_run_is_stopped_even_with_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    stopped = stub_cloud(monkeypatch, tmp_path, failure)
    with pytest.raises(type(failure)):
        runner._rehearse_in_cloud(*kept_start(tmp_path))
    assert stopped == [tmp_path / "cloud"]


def test_keep_keeps_the_cloud_of_a_flow_that_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = stub_cloud(monkeypatch, tmp_path, command_run(code=1))
    (tmp_path / "cloud").mkdir()
    report = runner._rehearse_in_cloud(*kept_start(tmp_path))
    assert report.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert stopped == []


def kept_start(work: Path) -> tuple[RehearsalPlan, Start]:
    kept_plan = evolve(plan(work), keep=True)
    return kept_plan, Start(plan=kept_plan, clone=CLONE, earlier=None)


def stub_cloud(monkeypatch: pytest.MonkeyPatch, work: Path, outcome: CommandRun | BaseException) -> list[Path]:
    """Let a cloud seem to run in a folder, and a command end; return the list of the clouds that are stopped."""
    cloud = Cloud(
        state=work / "cloud",
        pid=1,
        endpoint_url="http://127.0.0.1:9",
        region="eu-west-1",
        account="123456789012",
        access_key_id="",
        secret_access_key="",
        control_token="",
    )
    stopped: list[Path] = []

    def run(*_arguments: object) -> CommandRun:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(runner._CommandRunner, "run", run)
    monkeypatch.setattr(Start, "create_landscape", lambda _start, _cloud: None)
    monkeypatch.setattr(runner, "_list_refs", lambda _clone: {})
    monkeypatch.setattr(cloud_registry, "start_registered_cloud", lambda *_, **__: cloud)
    monkeypatch.setattr(clouds, "stop_cloud", lambda found: stopped.append(found.state))
    return stopped


UNAVAILABLE = command_run(code=5, error=f"error: docker could not build web:v1.2.3: no such host\n{UNAVAILABLE_HINT}")
BROKEN = command_run(code=5, error="docker could not build web:v1.2.3: unknown instruction: RUNN")


@pytest.mark.parametrize(
    ("first_run", "insists", "codes", "engine"),
    [
        (UNAVAILABLE, False, [0, 0, 0], "stand-in"),
        (UNAVAILABLE, True, [5], "docker"),
        (BROKEN, False, [5], "docker"),
        (command_run(code=3, error=UNAVAILABLE_HINT), False, [3], "docker"),
    ],
    ids=["unavailable", "insisted on", "broken", "no build"],
)
def test_a_stand_in_replaces_an_image_that_this_machine_cannot_build(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first_run: CommandRun,
    codes: list[int],
    engine: str,
    *,
    insists: bool,
) -> None:
    rehearsal = plan(tmp_path, insists=insists)
    command_runner, results = runner._CommandRunner(rehearsal, CLONE, {}), iter([first_run])
    monkeypatch.setattr(command_runner, "run", lambda command: next(results, command_run(command)))

    runs = command_runner.run_all(rehearsal.commands_on("main"))

    assert ([run.exit_code for run in runs], command_runner.plan.engine) == (codes, engine)
    said = "going on with a stand-in image: docker could not build web:v1.2.3: no such host\n"
    assert rehearsal.out.getvalue() == (said if engine == "stand-in" else "")  # type: ignore[attr-defined]


def test_a_rehearsal_of_an_app_of_another_platform_proves_nothing_for_it(tmp_path: Path) -> None:
    rehearsal = evolve(plan(tmp_path), foreign_platform="Amazon ECS (deploy.yml:3)")
    run = command_run("release-staging", 0, "", "build", "deploy")
    report = RehearsalReport(plan=rehearsal, clone=CLONE, command_runs=(run,), refs=())

    assert report.unproven == ("anything about Amazon ECS (deploy.yml:3): App Runner was rehearsed",)
    assert "this app runs on Amazon ECS (deploy.yml:3), for which that says nothing" in rehearsal_report.report_text(
        report
    )


@pytest.mark.parametrize(
    ("engine", "steps", "unproven"),
    [
        ("docker", ("build", "deploy"), []),
        ("stand-in", ("build", "deploy"), ["that the image can be built", "its 1 smoke check"]),
        ("docker", ("deploy",), ["that the app starts: earlier releases are stand-ins"]),
        ("stand-in", (), []),
    ],
)
def test_the_report_names_what_a_stand_in_does_not_prove(
    tmp_path: Path, engine: str, steps: tuple[str, ...], unproven: list[str]
) -> None:
    run = command_run("release-staging", 0, "", *steps)
    report = RehearsalReport(plan=plan(tmp_path, engine=engine), clone=CLONE, command_runs=(run,), refs=())

    assert [text[: len(start)] for text, start in zip(report.unproven, unproven, strict=True)] == unproven
