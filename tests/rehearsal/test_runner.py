"""The commands and variables of a rehearsal; `tests/e2e` has whole rehearsals."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from attrs import evolve

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, RunEvent
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal import runner
from kaizen_tasks.rehearsal.clone import ScratchClone
from kaizen_tasks.rehearsal.cloud import Cloud
from kaizen_tasks.rehearsal.runner import CommandRun, RehearsalPlan
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings

CLONE = ScratchClone(app_folder=Path("app"), remote=None, remote_name="", refusals=())
RELEASE, PROD, BETA = PIPELINE = ("release-staging --yes", "promote-prod --yes", "promote-beta --yes")


def plan(work: Path, flow: str = "", **changes: object) -> RehearsalPlan:
    """Return the plan for a team's app."""
    return RehearsalPlan(
        settings=settings(**changes), flow=flow, engine="bundle", work=work, keep=False, out=io.StringIO()
    )


@pytest.mark.parametrize(
    ("flow", "commands"),
    [
        ("", PIPELINE),
        ("release-staging", (RELEASE,)),
        ("promote-prod", (RELEASE, PROD)),
        ("hotfix --env mark", ("hotfix --env mark --yes",)),
        ("rollback --env prod --yes", (*PIPELINE, "rollback --env prod --yes")),
        ("verify --env prod", (*PIPELINE, "verify --env prod")),
    ],
)
def test_the_commands_before_a_flow_run_first_and_confirm_everything(
    tmp_path: Path, flow: str, commands: tuple[str, ...]
) -> None:
    assert plan(tmp_path, flow).commands == commands


@pytest.mark.parametrize(
    ("branch", "environments", "commands"),
    [
        ("main", ["mark"], PIPELINE),
        ("main", ["mark", "shane", "dom"], (RELEASE, PROD)),
        ("stable/1.x", ["mark"], (RELEASE, "promote --env mark --yes")),
        ("stable/1.x", ["mark", "shane", "dom"], (RELEASE, PIPELINE[-1])),
        ("stable/1.x", [], PIPELINE),
    ],
)
def test_releases_of_a_line_are_promoted_to_its_environments_alone(
    tmp_path: Path, branch: str, environments: list[str], commands: tuple[str, ...]
) -> None:
    lines = {"1.x": {"branch": "stable/1.x", "environments": environments}}

    assert plan(tmp_path, lines=lines).commands_on(branch) == commands
    assert "stable/1.x" in plan(tmp_path, lines=lines).branches


def test_a_hotfix_starts_from_hotfix_branches(tmp_path: Path) -> None:
    assert plan(tmp_path).branches == ("main",)
    assert plan(tmp_path, "hotfix --env mark").branches == ("hotfix/*",)


def test_overrides_shorten_waits_and_keep_a_shorter_timeout(tmp_path: Path) -> None:
    overrides = plan(tmp_path).overrides
    short_timeout = plan(tmp_path, verify={"timeout": "5s"}).overrides["INVOKE_VERIFY_TIMEOUT"]

    assert (overrides["INVOKE_VERIFY_TIMEOUT"], short_timeout) == ("30s", "5s")
    for name in ("ROLLOUT_BAKE", "EVIDENCE_MIN_AGE", "ENVIRONMENTS_PROD_MIN_AGE"):
        assert overrides[f"INVOKE_{name}"] == "0s"


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


@pytest.mark.parametrize("failure", [RuntimeError("of the setup"), KeyboardInterrupt()])
def test_the_cloud_of_a_rehearsal_that_did_not_run_is_stopped_even_with_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    stopped = stub_cloud(monkeypatch, tmp_path, failure)
    with pytest.raises(type(failure)):
        runner._rehearse_in_cloud(evolve(plan(tmp_path), keep=True), CLONE, unchanged_count=0)
    assert stopped == [tmp_path / "cloud"]


@pytest.mark.parametrize(("command", "is_kept"), [("local.up --state x", False), ("release-staging --yes", True)])
def test_keep_keeps_the_cloud_of_a_flow_that_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, *, is_kept: bool
) -> None:
    run = CommandRun(command=command, exit_code=1, error="", seconds=0, steps=(), changes={})
    stopped = stub_cloud(monkeypatch, tmp_path, run)
    (tmp_path / "cloud").mkdir()
    report = runner._rehearse_in_cloud(evolve(plan(tmp_path), keep=True), CLONE, unchanged_count=0)
    assert bool(report.environ) is is_kept
    assert stopped == ([] if is_kept else [tmp_path / "cloud"])


def stub_cloud(monkeypatch: pytest.MonkeyPatch, work: Path, outcome: CommandRun | BaseException) -> list[Path]:
    """Let a cloud seem to run in a folder, and a rehearsal end; return the list of the clouds that are stopped."""
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

    def run_commands(*_arguments: object) -> tuple[CommandRun, ...]:
        if isinstance(outcome, BaseException):
            raise outcome
        return (outcome,)

    monkeypatch.setattr(runner, "_run_commands", run_commands)
    monkeypatch.setattr(runner, "_list_refs", lambda _clone: {})
    monkeypatch.setattr(clouds, "find_cloud", lambda _state: cloud)
    monkeypatch.setattr(clouds, "stop_cloud", lambda found: stopped.append(found.state))
    return stopped
