"""Rollouts to more environments than a person can follow step by step."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.adapters.console import heartbeat
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.plain_view import PlainView
from kaizen_tasks.adapters.console.reporter import EventReporter
from kaizen_tasks.adapters.console.rich_view import RichView
from kaizen_tasks.adapters.console.run_log import RunLog
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from tests.fakes.clock import FakeClock
from tests.support.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RELEASE = Release(version=Version.parse("1.2.3"))
EIGHT = [f"tenant{number}" for number in range(8)]
NINE = [*EIGHT, "tenant8"]


def succeed(reporter: EventReporter, environment: str) -> None:
    """Report all steps of an environment, with lines of a command's output."""
    deploy, verify = StepLabel("deploy", environment), StepLabel("verify", environment)
    reporter.decided(StepLabel("evidence", environment), Done("verified in prod", RELEASE))
    reporter.decided(deploy, Act("start it", RELEASE))
    reporter.progress(deploy, "it is deploying")
    reporter.note(f"  {environment} | migrating", deploy)
    reporter.succeeded(deploy, "it runs", 2.0)
    reporter.decided(verify, Act("ask it", RELEASE))
    reporter.checked(verify, "GET / answers HTTP 502", ok=False)
    reporter.checked(verify, "GET / answers HTTP 200", ok=True)
    reporter.succeeded(verify, "it answers", 1.0)
    reporter.environment_finished(environment, "")


def fail(reporter: EventReporter, environment: str) -> None:
    """Report an environment that fails and is rolled back."""
    deploy, rollback = StepLabel("deploy", environment), StepLabel("redeploy", environment)
    reporter.decided(deploy, Act("start it", RELEASE))
    for number in range(30):
        reporter.note(f"  {environment} | line {number}", deploy)
    reporter.failed(deploy, 2.0)
    reporter.note(f"rolling back in {environment}")
    reporter.decided(rollback, Act("start the old one", RELEASE))
    reporter.succeeded(rollback, "the old one runs", 1.0)
    reporter.environment_finished(environment, "it does not answer")


def plain_lines(names: Sequence[str], *, dry: bool = False) -> list[str]:
    """Return what a log has of a rollout whose last environment fails."""
    stream, clock = io.StringIO(), FakeClock()
    reporter = EventReporter(PlainView(stream, clock), dry=dry, clock=clock)
    with reporter.rollout_table(names, lambda _: None):
        for name in names[:-1]:
            succeed(reporter, name)
        fail(reporter, names[-1])
    return stream.getvalue().splitlines()


def test_eight_environments_have_all_their_steps() -> None:
    lines = plain_lines(EIGHT)

    assert "  ok            evidence tenant0  verified in prod" in lines
    assert "    tenant0 | migrating" in lines
    assert len(lines) > 8 * 7


def test_nine_environments_have_a_line_each_and_a_failure_has_what_led_to_it() -> None:
    first, *lines = plain_lines(NINE)

    assert first == "9 environments: a line for each that ends"
    assert lines[:8] == [f"  complete      tenant{number}           {number + 1} of 9 (0.0s)" for number in range(8)]
    assert lines[8:28] == [f"    tenant8 | line {number}" for number in range(10, 30)]
    assert lines[28:] == [
        "  failed        deploy tenant8    after 2.0s",
        "  rolling back in tenant8",
        "  begin         redeploy tenant8  start the old one",
        "  done          redeploy tenant8  the old one runs (1.0s)",
        "  gave up       tenant8           9 of 9 (0.0s): it does not answer",
    ]


def test_refusal_and_interruption_are_a_line_too() -> None:
    stream, clock = io.StringIO(), FakeClock()
    reporter = EventReporter(PlainView(stream, clock), dry=False, clock=clock)

    with reporter.rollout_table(NINE, lambda _: None):
        reporter.decided(StepLabel("copy", "tenant0"), Refuse(reasons=("no",)))
        reporter.environment_finished("tenant0", "copy tenant0: no")
        reporter.decided(StepLabel("deploy", "tenant1"), Act("start it", RELEASE))
        reporter.interrupted(StepLabel("deploy", "tenant1"), 1.0)
        reporter.environment_finished("tenant1", "interrupted", interrupted=True)

    assert stream.getvalue().splitlines()[1:] == [
        "  gave up       tenant0           1 of 9 (0.0s): copy tenant0: no",
        "  interrupted   tenant1           2 of 9 (0.0s): interrupted",
    ]


def test_dry_run_has_a_line_for_each_environment_with_the_steps_that_would_act() -> None:
    stream, clock = io.StringIO(), FakeClock()
    reporter = EventReporter(PlainView(stream, clock), dry=True, clock=clock)

    with reporter.rollout_table(NINE, lambda _: None):
        for step in ("copy", "deploy"):
            reporter.decided(StepLabel(step, "tenant0"), Act("do it", RELEASE))
        reporter.environment_finished("tenant0", "")
        reporter.decided(StepLabel("copy", "tenant1"), Done("it is there", RELEASE))
        reporter.environment_finished("tenant1", "")
        reporter.decided(StepLabel("copy", "tenant2"), Refuse(reasons=("no",)))
        reporter.environment_finished("tenant2", "copy tenant2: no")

    assert stream.getvalue().splitlines() == [
        "  would         tenant0           copy, deploy",
        "  already done  tenant1           every step",
        "  wrong         tenant2           copy tenant2: no",
    ]


def test_log_without_news_says_every_thirty_seconds_how_far_the_rollout_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "POLL_SECONDS", 3600.0)
    stream, clock = io.StringIO(), FakeClock()
    heart = Heartbeat(clock.monotonic)
    reporter = EventReporter(PlainView(stream, clock, heartbeat=heart), dry=False, clock=clock)
    shown: list[str] = []

    with reporter.rollout_table(NINE, lambda _: None):
        succeed(reporter, "tenant0")
        for name in ("tenant1", "tenant2"):
            reporter.decided(StepLabel("deploy", name), Act("start it", RELEASE))
            clock.advance(20)
        heart.beat(lambda label, text: shown.append(f"{label}: {text}"))
        reporter.environment_finished("tenant1", "")
        clock.advance(29)
        heart.beat(lambda label, text: shown.append(f"{label}: {text}"))

    assert shown == [
        "rollout: at work for 40s: 2 running, 6 waiting, 1 done; longest: tenant1 for 40s, deploy: start it"
    ]


def on_screen(names: Sequence[str], columns: int, folder: Path) -> list[str]:
    """Return what a terminal has of a rollout whose last environment fails."""
    screen, clock = Screen(columns, 30), FakeClock()
    with screen.as_output():
        log = RunLog("coach", clock, folder=lambda: folder)
        reporter = EventReporter(RichView(screen, clock), dry=False, clock=clock, run_log=log)
        with reporter.rollout_table(names, lambda _: None):
            for name in names[:-1]:
                succeed(reporter, name)
            fail(reporter, names[-1])
    return [line.replace(str(folder), "LOGS") for line in screen.lines]


@pytest.mark.parametrize("columns", [60, 200])
def test_terminal_has_a_line_for_each_environment_and_a_table_of_those_that_failed(
    columns: int, tmp_path: Path
) -> None:
    lines = on_screen(NINE, columns, tmp_path / "logs")

    ends = [line for line in lines if re.fullmatch(r"✓ tenant\d  \d of 9 \(0\.0s\)", line)]
    assert len(ends) == 8
    assert "✗ tenant8  9 of 9 (0.0s): it does not answer" in lines
    assert "  tenant8 | line 29" in lines
    table = lines.index("   environment  step      elapsed")
    assert [line.split()[:2] for line in lines[table + 1 : table + 2]] == [["✗", "tenant8"]]
    assert lines[table + 2] == "9 environments: 1 failed, 8 done; 0.0s"
    assert lines[table + 3].startswith("full log:")


def test_all_lines_are_in_the_log(tmp_path: Path) -> None:
    on_screen(NINE, 80, tmp_path)

    (file,) = tmp_path.iterdir()
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "2026-11-20 12:00:00    ok            evidence tenant0  verified in prod"
    assert sum("migrating" in line for line in lines) == 8
    assert sum("| line" in line for line in lines) == 30
    assert lines[-1].endswith("gave up       tenant8           9 of 9 (0.0s): it does not answer")


def test_small_rollout_needs_no_log(tmp_path: Path) -> None:
    lines = on_screen(EIGHT, 80, tmp_path / "logs")

    assert not any("log" in line for line in lines)
    assert not (tmp_path / "logs").exists()
