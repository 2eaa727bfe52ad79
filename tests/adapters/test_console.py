"""What people are told, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from semver import Version

from kaizen_tasks.adapters.console import PlainReporter, RichReporter, reporter
from kaizen_tasks.domain.plan import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Label, Release

RELEASE = Release(version=Version.parse("1.2.3"))
DEPLOY = Label("deploy", "staging")


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        """Be a terminal."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def lines(stream: io.StringIO) -> list[str]:
    """Return what stands there, without styles, and without lines that a terminal draws over."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    return [line.rstrip() for line in plain.splitlines() if "\x1b" not in line]


@pytest.mark.parametrize(
    ("stream", "dry", "kind"),
    [
        (io.StringIO(), False, PlainReporter),
        (io.StringIO(), True, PlainReporter),
        (Terminal(), True, PlainReporter),
        (Terminal(), False, RichReporter),
    ],
)
def test_only_somebody_who_watches_gets_spinners(*, stream: io.StringIO, dry: bool, kind: type) -> None:
    """A log, a pipe and a plan get lines."""
    assert type(reporter(stream, dry=dry)) is kind


@pytest.mark.parametrize(
    ("label", "decision", "dry", "line"),
    [
        (DEPLOY, Done("it runs", RELEASE), False, "  already done  deploy staging    it runs"),
        (Label("preflight"), Done("all is well", RELEASE), False, "  ok            preflight         all is well"),
        (Label("evidence", "prod"), Done("it is", RELEASE), False, "  ok            evidence prod     it is"),
        (DEPLOY, Act("start it", RELEASE), False, "  begin         deploy staging    start it"),
        (DEPLOY, Act("start it", RELEASE), True, "  would         deploy staging    start it"),
        (Label("tag"), Done("", RELEASE), False, "  already done  tag"),
    ],
)
def test_every_decision_is_one_line(*, label: Label, decision: Decision, dry: bool, line: str) -> None:
    """In columns, so that a log can be read downwards."""
    stream = io.StringIO()

    PlainReporter(stream, dry=dry).decided(label, decision)

    assert stream.getvalue() == f"{line}\n"


def test_an_act_has_a_beginning_its_progress_and_an_end() -> None:
    """With the time that it took."""
    stream = io.StringIO()
    plain = PlainReporter(stream)

    plain.heading("web v1.2.3 → staging")
    plain.decided(DEPLOY, Act("start it", RELEASE))
    plain.progress(DEPLOY, "IN_PROGRESS after 0.2s")
    plain.acted(DEPLOY, "it runs", 200)
    plain.failed(DEPLOY, 3.14)

    assert lines(stream) == [
        "web v1.2.3 → staging",
        "  begin         deploy staging    start it",
        "  …             deploy staging    IN_PROGRESS after 0.2s",
        "  done          deploy staging    it runs (3m 20s)",
        "  failed        deploy staging    after 3.1s",
    ]


@pytest.mark.parametrize("make", [PlainReporter, RichReporter])
def test_a_refusal_is_not_said_twice(make: type[PlainReporter | RichReporter]) -> None:
    """The error that follows says it."""
    stream = io.StringIO()

    make(stream).decided(DEPLOY, Refuse(why=("no",)))

    assert stream.getvalue() == ""


def test_lines_of_several_threads_do_not_mix() -> None:
    """A rollout speaks for many environments at once."""
    stream = io.StringIO()
    plain, texts = PlainReporter(stream), [str(number) * 50 for number in range(10)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(plain.note, texts * 20))

    assert sorted(lines(stream)) == sorted(texts * 20)


def test_a_terminal_shows_marks_instead_of_words(terminal: Terminal) -> None:
    """Finished steps stay as lines."""
    rich = RichReporter(terminal)

    rich.decided(Label("preflight"), Done("all is well", RELEASE))
    rich.decided(DEPLOY, Done("it runs", RELEASE))
    rich.acted(DEPLOY, "it runs now", 12)
    rich.failed(DEPLOY, 12)

    assert lines(terminal) == [
        "✓ preflight        all is well",
        "· deploy staging   already done: it runs",
        "✓ deploy staging   it runs now (12s)",
        "✗ deploy staging   failed after 12s",
    ]


def cursor(terminal: Terminal, how: str) -> int:
    """Return how often the cursor was hidden or shown: it is hidden while a spinner turns."""
    return terminal.getvalue().count({"hidden": "\x1b[?25l", "shown": "\x1b[?25h"}[how])


@pytest.mark.parametrize("end", ["acted", "failed"])
def test_a_spinner_turns_until_its_step_has_ended(terminal: Terminal, end: str) -> None:
    """For each of the steps that run at once; the cursor is given back at last."""
    rich = RichReporter(terminal)
    other = Label("deploy", "prod")
    for label in (DEPLOY, other):
        rich.decided(label, Act("start it", RELEASE))
    rich.progress(other, "IN_PROGRESS")

    rich.acted(other, "it runs", 1)
    hidden = (cursor(terminal, "hidden"), cursor(terminal, "shown"))
    rich.acted(DEPLOY, "it runs", 1) if end == "acted" else rich.failed(DEPLOY, 1)

    assert hidden == (1, 0)
    assert (cursor(terminal, "hidden"), cursor(terminal, "shown")) == (1, 1)


def test_progress_of_a_step_that_does_not_run_is_not_shown(terminal: Terminal) -> None:
    """There is no spinner to show it beside."""
    RichReporter(terminal).progress(DEPLOY, "IN_PROGRESS")

    assert terminal.getvalue() == ""


def test_brackets_and_colons_in_data_mean_nothing(terminal: Terminal) -> None:
    """What apps, registries and people say is shown as it is."""
    rich = RichReporter(terminal)
    text = "[red]digest[/] [/foo] :warning: [bold]"

    rich.heading(text)
    rich.note(text)
    rich.decided(DEPLOY, Done(text, RELEASE))
    rich.decided(DEPLOY, Act(text, RELEASE))
    rich.acted(DEPLOY, text, 1)

    assert [text in line for line in lines(terminal) if "digest" in line] == [True] * 4


def test_a_long_note_stays_one_line(terminal: Terminal) -> None:
    """It may be a command to copy."""
    note = "export AWS_SESSION_TOKEN=" + "very long " * 20

    RichReporter(terminal).note(note)

    assert terminal.getvalue() == f"{note}\n"
