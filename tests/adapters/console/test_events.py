"""Events as JSON lines."""

from __future__ import annotations

import io
import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventLog, EventType, RunEvent
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import UsageError
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.reporter import Reporter

RELEASE = Release(version=Version.parse("1.2.3"))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEPLOY = StepLabel("deploy", "staging")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file for events, as a user does."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv(EVENTS_VARIABLE, str(path))
    return path


def make_reporter(stream: io.StringIO | None = None, *, dry: bool = False) -> Reporter:
    return create_reporter(stream or io.StringIO(), dry=dry, clock=FakeClock())


def read_fields(path: Path) -> list[dict[str, object]]:
    """Return the fields of every line, except those that differ from run to run."""
    documents = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in document.items() if name not in {"time", "pid"}} for document in documents]


def report_everything(reporter: Reporter) -> None:
    reporter.heading("web v1.2.3 → staging")
    reporter.decided(StepLabel("preflight"), Done("nothing blocks the release", RELEASE))
    reporter.decided(StepLabel("bump"), Done("VERSION is 1.2.3", RELEASE))
    with reporter.rollout_table(["staging", "prod"], lambda _: None):
        reporter.decided(DEPLOY, Act("start it", RELEASE))
        reporter.progress(DEPLOY, "IN_PROGRESS after 0.2s")
        reporter.succeeded(DEPLOY, "it runs", 200.12345)
        reporter.checked(StepLabel("smoke", "staging"), "GET / answers HTTP 500", ok=False)
        reporter.failed(StepLabel("smoke", "staging"), 0.5)
        reporter.environment_finished("staging", "smoke staging: HTTP 500")
        reporter.decided(StepLabel("copy", "prod"), Refuse(reasons=("no image", "no access")))
        reporter.environment_finished("prod", "")
    reporter.note("that was it")


def test_every_report_is_one_line_with_the_fields_that_it_has(path: Path) -> None:
    report_everything(make_reporter())

    step = {"step": "deploy", "environment": "staging"}
    smoke = {"step": "smoke", "environment": "staging"}
    assert read_fields(path) == [
        {"type": "heading", "text": "web v1.2.3 → staging"},
        {"type": "decided", "step": "preflight", "verdict": "ok", "reason": "nothing blocks the release"},
        {"type": "decided", "step": "bump", "verdict": "already done", "reason": "VERSION is 1.2.3"},
        {"type": "rollout-started", "environments": ["staging", "prod"]},
        {"type": "decided", **step, "verdict": "begin", "reason": "start it"},
        {"type": "progress", **step, "reason": "IN_PROGRESS after 0.2s"},
        {"type": "finished", **step, "verdict": "done", "reason": "it runs", "seconds": 200.123},
        {"type": "checked", **smoke, "verdict": "wrong", "reason": "GET / answers HTTP 500"},
        {"type": "finished", **smoke, "verdict": "failed", "seconds": 0.5},
        {
            "type": "environment-finished",
            "environment": "staging",
            "verdict": "gave up",
            "reason": "smoke staging: HTTP 500",
        },
        {
            "type": "decided",
            "step": "copy",
            "environment": "prod",
            "verdict": "refused",
            "reason": "no image; no access",
        },
        {"type": "environment-finished", "environment": "prod", "verdict": "complete"},
        {"type": "note", "text": "that was it"},
    ]


@pytest.mark.usefixtures("path")
def test_console_output_is_the_same_with_and_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    with_events, without = io.StringIO(), io.StringIO()
    report_everything(make_reporter(with_events))
    monkeypatch.delenv(EVENTS_VARIABLE)
    report_everything(make_reporter(without))

    assert with_events.getvalue() == without.getvalue()


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_nothing_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(EVENTS_VARIABLE) if value is None else monkeypatch.setenv(EVENTS_VARIABLE, value)

    make_reporter().note("hello")

    assert list(path.parent.iterdir()) == []


def test_a_dry_run_writes_what_it_would_do(path: Path) -> None:
    make_reporter(dry=True).decided(DEPLOY, Act("start it", RELEASE))

    assert read_fields(path)[0]["verdict"] == "would"


def test_an_event_can_be_read_back_and_unknown_fields_are_ignored(path: Path) -> None:
    report_everything(make_reporter())
    lines = path.read_text().splitlines(keepends=True)

    events = [RunEvent.parse(line) for line in lines]

    assert [event.line for event in events] == lines
    assert events[0].type is EventType.HEADING
    assert events[0].time == NOON
    assert RunEvent.parse(lines[0].replace("{", '{"later": 1, ', 1)) == events[0]


def write_notes(path: Path, texts: list[str]) -> None:
    """Write from eight threads of this process."""
    log = EventLog(path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: log.append(RunEvent(type=EventType.NOTE, time=NOON, text=text)), texts))


@pytest.mark.integration
def test_lines_of_several_threads_and_processes_stay_whole(path: Path) -> None:
    texts = [str(number) * 2000 for number in range(10)] * 10
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_notes, args=(path, texts)) for _ in range(2)]
    for worker in workers:
        worker.start()
    write_notes(path, texts)
    for worker in workers:
        worker.join()

    assert sorted(str(fields["text"]) for fields in read_fields(path)) == sorted(texts * 3)


def test_a_relative_path_stays_where_the_command_was_started(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(EVENTS_VARIABLE, path.name)
    reporter = make_reporter()
    monkeypatch.chdir(tmp_path / "elsewhere")

    reporter.note("here")

    assert len(read_fields(path)) == 1


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EVENTS_VARIABLE, str(tmp_path / "missing" / "events"))

    with pytest.raises(UsageError, match=r"KAIZEN_EVENTS=.*: cannot be written: No such file or directory"):
        make_reporter()


def test_a_file_that_becomes_unwritable_is_noted_once_and_stops_nothing(path: Path) -> None:
    stream = io.StringIO()
    reporter = make_reporter(stream)
    path.unlink()
    path.mkdir()

    reporter.note("one")
    reporter.note("two")

    assert stream.getvalue().splitlines() == [f"no further events are written to {path}: Is a directory", "one", "two"]
