"""The file with all lines of a run."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from semver import Version

from kaizen_tasks.adapters.console import run_log
from kaizen_tasks.adapters.console.plain_view import PlainView
from kaizen_tasks.adapters.console.reporter import EventReporter
from kaizen_tasks.adapters.console.run_log import FOLDER_VARIABLE, RunLog, log_folder
from kaizen_tasks.domain.decision import Act
from kaizen_tasks.domain.release import Release, StepLabel
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    import pytest

BUILD = StepLabel("build")
BUILDS = Act("build coach:v1.2.3", Release(version=Version.parse("1.2.3")))


class Run:
    """A run whose console shows no output of other programs."""

    def __init__(self, folder: Path) -> None:
        self.stream, self.clock = io.StringIO(), FakeClock()
        self.log = RunLog("coach", self.clock, folder=lambda: folder)
        self.reporter = EventReporter(PlainView(self.stream, self.clock), dry=False, clock=self.clock, run_log=self.log)

    def build(self, *output: str) -> None:
        """Report a build that prints some lines and fails."""
        self.reporter.heading("coach: release v1.2.3")
        self.reporter.decided(BUILD, BUILDS)
        for line in output:
            self.reporter.activity(BUILD, line)
        self.reporter.activity(BUILD, "1 MB of 2 MB", replaces=True)
        self.reporter.failed(BUILD, 3.0)

    @property
    def lines(self) -> list[str]:
        """What the console shows."""
        return self.stream.getvalue().splitlines()


def test_log_begins_with_the_first_line_that_the_console_leaves_out(tmp_path: Path) -> None:
    run = Run(tmp_path / "logs")
    run.reporter.heading("coach: release v1.2.3")

    assert not (tmp_path / "logs").exists()

    run.build("#5 RUN pip install", "#5 0.2 ::add-mask::x")

    (file,) = (tmp_path / "logs").iterdir()
    lines = [line[21:] for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == [
        "coach: release v1.2.3",
        "coach: release v1.2.3",
        "  begin         build             build coach:v1.2.3",
        "  | #5 RUN pip install",
        "  | #5 0.2 ::add-mask::x",
        "  failed        build             after 3.0s",
    ]
    assert run.lines[-1] == f"full log: {file}"


def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    run = Run(tmp_path / "state" / "logs")
    run.build("a secret")

    (file,) = (tmp_path / "state" / "logs").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_run_without_such_lines_leaves_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "logs")
    run.build()

    assert not (tmp_path / "logs").exists()
    assert not any("log" in line for line in run.lines)


def test_folder_that_cannot_be_written_stops_nothing_and_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    run = Run(tmp_path / "file" / "logs")

    run.build("a line", "another line")

    assert sum("there is no full log" in line for line in run.lines) == 1
    assert run.lines[-1] == "  failed        build             after 3.0s"


def test_full_disk_ends_the_log_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path)
    run.reporter.activity(BUILD, "the first line")

    def write(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        run.build("a line", "another line")
    run.build("a late line")

    (file,) = tmp_path.iterdir()
    assert sum("no further lines are written" in line for line in run.lines) == 1
    assert f"no further lines are written to {file}: No space left on device" in run.lines
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1


def test_oldest_logs_of_the_app_are_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_log, "MAX_LOGS", 3)
    names = [f"coach-2025010{day}T000000Z-1.log" for day in range(1, 6)]
    others = ["other-20250101T000000Z-1.log", "coach.log", "notes.txt"]
    for name in (*names, *others):
        (tmp_path / name).write_text("", encoding="utf-8")

    Run(tmp_path).build("a line")

    left = sorted(file.name for file in tmp_path.iterdir())
    assert [name for name in left if name.startswith("coach-")][:2] == names[-2:]
    assert len([name for name in left if name.startswith("coach-")]) == 3
    assert set(others) <= set(left)


def test_folder_is_that_of_the_variable_else_below_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert log_folder() == tmp_path / "kaizen" / "logs"

    monkeypatch.setenv(FOLDER_VARIABLE, "logs")
    assert log_folder() == Path.cwd() / "logs"


def test_log_ends_with_how_the_run_ended(tmp_path: Path) -> None:
    run, success = Run(tmp_path / "failed"), Run(tmp_path / "succeeded")
    for each in (run, success):
        with each.reporter.rollout_table([f"tenant{number}" for number in range(60)], lambda _: None):
            each.reporter.environment_finished("tenant0", "")

    run_log.end_logs("error: 59 of 60 do not have v1.2.3\ndone: tenant0\ncontinue: inv promote-beta")
    run.reporter.note("later")
    success.reporter.summary("all serve v1.2.3", "next: inv promote-prod", 3.0)
    run_log.end_logs("error: of another run")

    (failed,), (succeeded,) = (list(each.iterdir()) for each in (tmp_path / "failed", tmp_path / "succeeded"))
    assert [line[21:] for line in failed.read_text(encoding="utf-8").splitlines()][-4:] == [
        "error: 59 of 60 do not have v1.2.3",
        "done: tenant0",
        "continue: inv promote-beta",
        "later",
    ]
    assert succeeded.read_text(encoding="utf-8").endswith("all serve v1.2.3 (3.0s); next: inv promote-prod\n")


def test_path_begins_at_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = Run(tmp_path / "logs")

    run.build("#1")

    (file,) = (tmp_path / "logs").iterdir()
    assert run.lines[-1] == f"full log: ~/logs/{file.name}"
