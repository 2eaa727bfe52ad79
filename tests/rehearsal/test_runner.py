"""The commands and variables of a rehearsal; `tests/e2e` has whole rehearsals."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, RunEvent
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal import runner
from kaizen_tasks.rehearsal.runner import RehearsalPlan
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

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
