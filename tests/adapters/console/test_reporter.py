"""Console output, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.adapters.console.plain_view import PlainView
from kaizen_tasks.adapters.console.reporter import EventReporter, create_reporter
from kaizen_tasks.adapters.console.rich_view import RichView
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = Release(version=Version.parse("1.2.3"))
DEPLOY = StepLabel("deploy", "staging")


def plain_reporter(stream: io.StringIO, *, dry: bool = False, clock: FakeClock | None = None) -> EventReporter:
    return EventReporter(PlainView(stream, clock or FakeClock()), dry=dry, clock=clock or FakeClock())


def rich_reporter(stream: io.StringIO, *, clock: FakeClock | None = None) -> EventReporter:
    return EventReporter(RichView(stream, clock or FakeClock()), dry=False, clock=clock or FakeClock())


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def lines(stream: io.StringIO) -> list[str]:
    """Return the lines that stay, without styles."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    return [line.rstrip() for line in plain.splitlines() if "\x1b" not in line]


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the CI that may run these tests."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("stream", "dry", "kind"),
    [
        (io.StringIO(), False, PlainView),
        (io.StringIO(), True, PlainView),
        (Terminal(), True, RichView),
        (Terminal(), False, RichView),
    ],
)
def test_only_a_terminal_gets_the_rich_view(*, stream: io.StringIO, dry: bool, kind: type) -> None:
    assert type(create_reporter(stream, dry=dry).view) is kind


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("TERM", "dumb", PlainView),
        ("TERM", "xterm-256color", RichView),
        ("CI", "true", PlainView),
        ("CI", "false", RichView),
    ],
)
def test_dumb_terminals_and_ci_get_plain_lines(
    name: str, value: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    assert type(create_reporter(Terminal(), dry=False).view) is kind


@pytest.mark.parametrize(
    ("label", "decision", "dry", "line"),
    [
        (DEPLOY, Done("it runs", RELEASE), False, "  already done  deploy staging    it runs"),
        (StepLabel("preflight"), Done("all is well", RELEASE), False, "  ok            preflight         all is well"),
        (StepLabel("evidence", "prod"), Done("it is", RELEASE), False, "  ok            evidence prod     it is"),
        (DEPLOY, Act("start it", RELEASE), False, "  begin         deploy staging    start it"),
        (DEPLOY, Act("start it", RELEASE), True, "  would         deploy staging    start it"),
        (StepLabel("tag"), Done("", RELEASE), False, "  already done  tag"),
    ],
)
def test_each_decision_is_one_line_in_columns(*, label: StepLabel, decision: Decision, dry: bool, line: str) -> None:
    stream = io.StringIO()

    plain_reporter(stream, dry=dry).decided(label, decision)

    assert stream.getvalue() == f"{line}\n"


def test_an_act_has_lines_for_start_progress_and_end_with_its_duration() -> None:
    stream = io.StringIO()
    plain = plain_reporter(stream)

    plain.heading("web v1.2.3 → staging")
    plain.decided(DEPLOY, Act("start it", RELEASE))
    plain.progress(DEPLOY, "IN_PROGRESS after 0.2s")
    plain.succeeded(DEPLOY, "it runs", 200)
    plain.failed(DEPLOY, 3.14)

    assert lines(stream) == [
        "web v1.2.3 → staging",
        "  begin         deploy staging    start it",
        "  …             deploy staging    IN_PROGRESS after 0.2s",
        "  done          deploy staging    it runs (3m 20s)",
        "  failed        deploy staging    after 3.1s",
    ]


@pytest.mark.parametrize(
    ("make", "expected_lines"),
    [
        (
            plain_reporter,
            [
                "  ok            smoke staging     GET / answers HTTP 200",
                "  wrong         smoke staging     GET /x is away",
            ],
        ),
        (rich_reporter, ["✓ smoke staging    GET / answers HTTP 200", "✗ smoke staging    GET /x is away"]),
    ],
)
def test_each_check_has_a_line_that_stays(
    terminal: Terminal, make: Callable[[io.StringIO], EventReporter], expected_lines: list[str]
) -> None:
    reporter, label = make(terminal), StepLabel("smoke", "staging")

    reporter.checked(label, "GET / answers HTTP 200", ok=True)
    reporter.checked(label, "GET /x is away", ok=False)

    assert lines(terminal) == expected_lines


@pytest.mark.parametrize("make", [plain_reporter, rich_reporter])
def test_a_refusal_is_left_to_the_error_that_follows(make: Callable[[io.StringIO], EventReporter]) -> None:
    stream = io.StringIO()

    make(stream).decided(DEPLOY, Refuse(reasons=("no",)))

    assert stream.getvalue() == ""


def test_lines_of_several_threads_stay_whole() -> None:
    stream = io.StringIO()
    plain, texts = plain_reporter(stream), [str(number) * 50 for number in range(10)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(plain.note, texts * 20))

    assert sorted(lines(stream)) == sorted(texts * 20)


def test_a_terminal_shows_finished_steps_with_symbols(terminal: Terminal) -> None:
    rich = rich_reporter(terminal)

    rich.decided(StepLabel("preflight"), Done("all is well", RELEASE))
    rich.decided(DEPLOY, Done("it runs", RELEASE))
    rich.succeeded(DEPLOY, "it runs now", 12)
    rich.failed(DEPLOY, 12)

    assert lines(terminal) == [
        "✓ preflight        all is well",
        "· deploy staging   already done: it runs",
        "✓ deploy staging   it runs now (12s)",
        "✗ deploy staging   failed after 12s",
    ]


def cursor(terminal: Terminal, how: str) -> int:
    """Return how often the cursor was hidden or shown; a spinner hides it."""
    return terminal.getvalue().count({"hidden": "\x1b[?25l", "shown": "\x1b[?25h"}[how])


@pytest.mark.parametrize("end", ["acted", "failed"])
def test_the_cursor_is_hidden_until_the_last_spinner_ends(terminal: Terminal, end: str) -> None:
    rich = rich_reporter(terminal)
    second = StepLabel("deploy", "prod")
    for label in (DEPLOY, second):
        rich.decided(label, Act("start it", RELEASE))
    rich.progress(second, "IN_PROGRESS")

    rich.succeeded(second, "it runs", 1)
    hidden = (cursor(terminal, "hidden"), cursor(terminal, "shown"))
    rich.succeeded(DEPLOY, "it runs", 1) if end == "acted" else rich.failed(DEPLOY, 1)

    assert hidden == (1, 0)
    assert (cursor(terminal, "hidden"), cursor(terminal, "shown")) == (1, 1)


def test_progress_without_a_spinner_is_not_shown(terminal: Terminal) -> None:
    rich_reporter(terminal).progress(DEPLOY, "IN_PROGRESS")

    assert terminal.getvalue() == ""


def test_brackets_and_colons_in_data_are_not_markup(terminal: Terminal) -> None:
    rich = rich_reporter(terminal)
    text = "[red]digest[/] [/foo] :warning: [bold]"

    rich.heading(text)
    rich.note(text)
    rich.decided(DEPLOY, Done(text, RELEASE))
    rich.decided(DEPLOY, Act(text, RELEASE))
    rich.succeeded(DEPLOY, text, 1)

    assert [text in line for line in lines(terminal) if "digest" in line] == [True] * 4


def test_a_long_note_is_wrapped_at_words_unless_it_is_an_assignment(terminal: Terminal) -> None:
    note, assignment = "a very long note " * 8, "export AWS_SESSION_TOKEN=" + "very long " * 20

    rich_reporter(terminal).note(note)
    rich_reporter(terminal).note(assignment)

    *lines, last = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[:2] for line in lines] == ["a ", "  "]
    assert last == assignment


def left(terminal: Terminal) -> list[str]:
    """Return the lines after the last live display has ended."""
    still = terminal.getvalue().rpartition("\x1b[?25h")[2]
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", still).splitlines() if line.strip()]


def report_rollout(reporter: EventReporter, clock: FakeClock) -> None:
    """Report a rollout to two environments, one of which fails."""
    with reporter.rollout_table(["mark", "dom"], lambda _: None):
        reporter.decided(StepLabel("deploy", "mark"), Act("start it", RELEASE))
        reporter.note("going back to v1.2.2 in dom")
        clock.sleep(65)
        reporter.progress(StepLabel("deploy", "mark"), "IN_PROGRESS after 1m 5s")
        reporter.succeeded(StepLabel("deploy", "mark"), "it runs", 65)
        reporter.environment_finished("mark", "")
        reporter.decided(StepLabel("copy", "dom"), Refuse(reasons=("there is no image",)))
        reporter.environment_finished("dom", "copy dom: there is no image")
    reporter.note("that was it")


def test_lines_of_a_rollout_are_as_those_of_other_commands() -> None:
    stream, clock = io.StringIO(), FakeClock()

    report_rollout(plain_reporter(stream, clock=clock), clock)

    assert lines(stream) == [
        "  begin         deploy mark       start it",
        "  going back to v1.2.2 in dom",
        "  …             deploy mark       IN_PROGRESS after 1m 5s",
        "  done          deploy mark       it runs (1m 5s)",
        "  complete      mark              1 of 2 (1m 5s)",
        "  gave up       dom               2 of 2 (0.0s): copy dom: there is no image",
        "that was it",
    ]


def test_a_dry_run_of_a_rollout_has_no_results() -> None:
    stream, clock = io.StringIO(), FakeClock()
    plain = plain_reporter(stream, dry=True, clock=clock)

    with plain.rollout_table(["mark", "dom"], lambda _: None):
        plain.decided(DEPLOY, Act("start it", RELEASE))
        plain.environment_finished("mark", "")

    assert lines(stream) == ["  would         deploy staging    start it"]


def test_the_rollout_table_stays_below_all_other_lines(terminal: Terminal) -> None:
    clock = FakeClock()

    report_rollout(rich_reporter(terminal, clock=clock), clock)

    assert left(terminal) == [
        "   environment  step  elapsed",
        "✓  mark         done    1m 5s  it runs",
        "✗  dom          copy     0.0s  copy dom: there is no image",
        "2 environments: 1 failed, 1 done; 1m 5s",
        "that was it",
    ]
    output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "✓ deploy mark      it runs (1m 5s)" in output
    assert "going back to v1.2.2 in dom" in output
    assert (cursor(terminal, "hidden"), cursor(terminal, "shown")) == (1, 1)


def test_the_table_shows_typical_durations_once_they_are_known(terminal: Terminal) -> None:
    is_fetched, clock = threading.Event(), FakeClock()

    def typical_duration(environment: str) -> float | None:
        is_fetched.set() if environment == "dom" else None
        return 200 if environment == "mark" else None

    with rich_reporter(terminal, clock=clock).rollout_table(["mark", "eve", "dom"], typical_duration):
        assert is_fetched.wait(10)

    rows = [line.split() for line in left(terminal)]
    assert rows[0] == ["environment", "step", "elapsed", "usual"]
    assert rows[1] == ["·", "mark", "waiting", "3m", "20s"]
    assert rows[2] == ["·", "eve", "waiting"]


def test_a_low_terminal_shows_running_environments_and_counts_the_hidden_ones(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "10")
    names = [f"tenant{number}" for number in range(8)]
    rich = rich_reporter(terminal, clock=FakeClock())

    with rich.rollout_table(names, lambda _: None):
        rich.decided(StepLabel("deploy", "tenant7"), Act("start it", RELEASE))
        rich.note("look")
        live = terminal.getvalue().rpartition("look")[2]
        for name in names:
            rich.environment_finished(name, "")

    assert "tenant7" in live
    assert "2 not shown" in live
    assert "tenant6" not in live
    assert [line.split()[1] for line in left(terminal)[1:-1]] == names


def test_threads_that_outlive_an_interrupted_rollout_do_not_hide_the_cursor(terminal: Terminal) -> None:
    rich = rich_reporter(terminal, clock=FakeClock())

    with suppress(KeyboardInterrupt), rich.rollout_table(["mark"], lambda _: None):
        rich.decided(StepLabel("deploy", "mark"), Act("start it", RELEASE))
        raise KeyboardInterrupt
    rich.decided(StepLabel("verify", "mark"), Act("ask", RELEASE))
    rich.succeeded(StepLabel("verify", "mark"), "it answers", 1)

    assert left(terminal)[1:] == [
        "!  mark         deploy     0.0s  start it",
        "1 environment: 1 running; 0.0s",
        "✓ verify mark      it answers (1.0s)",
    ]
    assert (cursor(terminal, "hidden"), cursor(terminal, "shown")) == (1, 1)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_every_label_fits_in_its_column(*, is_terminal: bool, terminal: Terminal) -> None:
    """The texts of steps begin in one column, whatever the environments are called."""
    stream = terminal if is_terminal else io.StringIO()
    reporter = create_reporter(stream, dry=False, clock=FakeClock(), environments=("prod", "staging"))

    for label in (StepLabel("copy", "prod"), StepLabel("mark rollback", "prod"), StepLabel("set config", "staging")):
        reporter.decided(label, Done("a reason", RELEASE))

    assert len({line.index("a reason") for line in stream.getvalue().splitlines()}) == 1


@pytest.mark.parametrize(("next_step", "end"), [("next: inv promote-prod", "; next: inv promote-prod"), ("", "")])
def test_summary_says_how_long_it_took_and_what_to_type_next(terminal: Terminal, next_step: str, end: str) -> None:
    log = io.StringIO()

    plain_reporter(log).summary("staging serves v1.2.3", next_step, 132)
    rich_reporter(terminal).summary("staging serves v1.2.3", next_step, 132)

    assert log.getvalue() == f"staging serves v1.2.3 (2m 12s){end}\n"
    assert left(terminal) == [log.getvalue().rstrip()]


def test_dry_run_on_a_terminal_shows_each_step_with_a_mark(terminal: Terminal) -> None:
    reporter = EventReporter(RichView(terminal, FakeClock()), dry=True, clock=FakeClock())

    reporter.decided(DEPLOY, Act("deploy it", RELEASE))

    assert left(terminal) == ["→ deploy staging   deploy it"]


def test_interruption_is_no_failure(terminal: Terminal) -> None:
    rich, log = rich_reporter(terminal), io.StringIO()
    rich.decided(DEPLOY, Act("deploy it", RELEASE))

    rich.interrupted(DEPLOY, 12)
    plain_reporter(log).interrupted(DEPLOY, 12)

    assert left(terminal) == ["! deploy staging   interrupted after 12s"]
    assert log.getvalue().split() == ["interrupted", "deploy", "staging", "after", "12s"]
