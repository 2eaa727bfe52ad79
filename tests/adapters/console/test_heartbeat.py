"""Lines about steps that are silent for long, in a log; the thread that asks for them is left out."""

from __future__ import annotations

import io

import pytest
from semver import Version

from kaizen_tasks.adapters.console import heartbeat
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.plain_view import PlainView
from kaizen_tasks.adapters.console.reporter import EventReporter
from kaizen_tasks.domain.decision import Act
from kaizen_tasks.domain.release import Release, StepLabel
from tests.fakes.clock import FakeClock

BUILD = StepLabel("build")
PUSH = StepLabel("push", "staging")
BUILDS = Act("build coach:v1.2.3", Release(version=Version.parse("1.2.3")))


class Log:
    """The log of a run, whose heart beats when told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._stream = io.StringIO()
        self._heartbeat = Heartbeat(self.clock.monotonic)
        view = PlainView(self._stream, self.clock, heartbeat=self._heartbeat)
        self.reporter = EventReporter(view, dry=False, clock=self.clock)

    def after(self, seconds: float) -> list[str]:
        """Return the lines that are there after so many seconds."""
        self.clock.advance(seconds)
        self._heartbeat.beat(self._show)
        return self._stream.getvalue().splitlines()[1:]  # the first says that the step begins

    def _show(self, label: StepLabel, text: str) -> None:
        self._stream.write(f"{label}: {text}\n")


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the thread of the heartbeat asleep."""
    monkeypatch.setattr(heartbeat, "POLL_SECONDS", 3600.0)


@pytest.fixture
def log() -> Log:
    log = Log()
    log.reporter.decided(BUILD, BUILDS)
    return log


def test_a_silent_step_gets_a_line_every_thirty_seconds(log: Log) -> None:
    assert log.after(29) == []
    assert log.after(1) == ["build: at work for 30s: build coach:v1.2.3"]
    assert len(log.after(29)) == 1
    assert log.after(1)[1:] == ["build: at work for 1m: build coach:v1.2.3"]


def test_the_line_says_what_the_engine_is_doing(log: Log) -> None:
    log.clock.advance(20)
    log.reporter.activity(BUILD, "Step 3/9 : RUN pip install")
    log.reporter.activity(BUILD, "  0 %\r 50 %\r\x1b[32mCollecting\x1b[0m django \r")

    assert log.after(10) == ["build: at work for 30s: Collecting django"]


def test_progress_that_has_a_line_of_its_own_is_no_silence(log: Log) -> None:
    log.clock.advance(20)
    log.reporter.progress(BUILD, "half of it")

    assert len(log.after(29)) == 1  # the line of the progress itself


def test_a_step_that_has_ended_is_no_longer_watched(log: Log) -> None:
    log.reporter.succeeded(BUILD, "built", 1.0)
    log.reporter.decided(PUSH, BUILDS)
    log.reporter.failed(PUSH, 1.0)

    assert log.after(60) == log.after(0)
    assert not any("at work" in line for line in log.after(60))


def test_several_steps_are_watched_at_once(log: Log) -> None:
    log.clock.advance(15)
    log.reporter.decided(PUSH, BUILDS)
    log.reporter.activity(PUSH, "uploaded 1 MB of 2 MB", replaces=True)

    assert log.after(15)[1:] == ["build: at work for 30s: build coach:v1.2.3"]
    assert log.after(15)[2:] == ["push staging: at work for 30s: uploaded 1 MB of 2 MB"]
