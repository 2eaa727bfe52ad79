"""Tells people what happens: rich on a terminal, plain lines everywhere else."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.adapters.console.progress import Board
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress, TaskID

    from kaizen_tasks.domain.release import Label
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.reporter import Reporter

CHECKS = ("preflight", "evidence")
"""Steps that look and never act: finding nothing wrong is not work that was done before."""

LABEL = 16
"""Columns for a step's name and its environment's."""

REDRAWN = 5
"""Times a second that the table of a rollout is drawn: it costs the time of those who are at work."""


def reporter(stream: TextIO, *, dry: bool, clock: Clock | None = None) -> Reporter:
    """Return what fits the stream: a person who watches, or a file, a pipe, a CI log.

    Args:
        stream: where to.
        dry: whether acts are only announced.
        clock: of the times that are said.
    """
    if watched(stream) and not dry:
        return RichReporter(stream, clock=clock)
    return PlainReporter(stream, dry=dry, clock=clock)


def watched(stream: TextIO) -> bool:
    """Return whether a person sees the stream as it is written, on a terminal that can move its cursor.

    Some CI runners lend a terminal to what they run, and keep its every frame in their log.
    """
    able = os.environ.get("TERM", "") not in {"dumb", "unknown"}
    return stream.isatty() and able and os.environ.get("CI", "").lower() in {"", "0", "false"}


def _said(decision: Decision) -> str:
    match decision:
        case Done(reason=text) | Act(what=text):
            return text
        case Refuse(why=why):
            return "; ".join(why)


def _verdict(label: Label, _done: Done) -> str:
    return "ok" if label.step in CHECKS else "already done"


class PlainReporter:
    """One line for each thing that happens, without escape codes.

    While several environments are at work at once, every line begins with the time, in UTC.

    Args:
        stream: where to.
        dry: whether acts are only announced.
        clock: of the times that are said.
    """

    def __init__(self, stream: TextIO, *, dry: bool = False, clock: Clock | None = None) -> None:
        self._stream = stream
        self._dry = dry
        self._clock = clock or SystemClock()
        self._board: Board | None = None
        self._lock = threading.Lock()

    def _line(self, verdict: str, label: object, text: str) -> None:
        self._write(f"  {verdict:<12}  {label!s:<{LABEL}}  {text}".rstrip())

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        self.note(text)

    def decided(self, label: Label, decision: Decision) -> None:
        """Say what a step has decided; a refusal says itself, as an error."""
        if self._board is not None and label.environment in self._board:
            self._board.reach(label.environment, label.step, _said(decision))
        if isinstance(decision, Done):
            self._line(_verdict(label, decision), label, decision.reason)
        elif isinstance(decision, Act):
            self._line("would" if self._dry else "begin", label, decision.what)

    def progress(self, label: Label, text: str) -> None:
        """Say how far an act is."""
        self._line("…", label, text)

    def checked(self, label: Label, text: str, *, right: bool) -> None:
        """Say what one of several checks of an act has found."""
        self._line("ok" if right else "wrong", label, text)

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Say that an act has ended well."""
        self._line("done", label, f"{reason} ({duration.show(seconds)})")

    def failed(self, label: Label, seconds: float) -> None:
        """Say that an act has ended badly."""
        self._line("failed", label, f"after {duration.show(seconds)}")

    def note(self, text: str) -> None:
        """Write one line at once, whole."""
        self._write(text if self._board is None else f"  {text}")

    @contextmanager
    def side_by_side(self, environments: Sequence[str], usual: Callable[[str], float | None]) -> Iterator[None]:
        """Say the time with every line; a plan happens at no time."""
        self._board = None if self._dry else Board(environments, self._clock.elapsed)
        try:
            yield
        finally:
            self._board = None

    def ended(self, environment: str, fault: str) -> None:
        """Say how many environments are through, and with what result."""
        if self._board is None:
            return
        line = self._board.end(environment, fault)
        reached = sum(each.ended is not None for each in self._board.lines)
        took = duration.show(line.took(self._clock.elapsed()) or 0)
        text = f"{reached} of {len(self._board.lines)} ({took}){f': {fault}' if fault else ''}"
        self._line("gave up" if fault else "complete", environment, text)

    def _write(self, line: str) -> None:
        with self._lock:
            stamp = "" if self._board is None else f"{self._clock.now():%H:%M:%S}Z"
            self._stream.write(f"{stamp}{line}\n")
            self._stream.flush()


class RichReporter:
    """Finished steps as lines; below them what is at work: a spinner for a step, a table for several environments.

    Args:
        stream: a terminal.
        clock: of the times that are said.
    """

    def __init__(self, stream: TextIO, *, clock: Clock | None = None) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._width = LABEL
        self._board: Board | None = None
        self._left = False
        self._live: Progress | None = None
        self._running: dict[Label, TaskID] = {}

    def _line(self, mark: str, style: str, label: Label, text: str) -> None:
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=self._width)
        row.add_column()
        row.add_row(Text(mark, style), Text(str(label)), Text(text, "dim" if mark == "·" else ""))
        self._console.print(row)

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        from rich.text import Text

        self._console.print(Text(text, "bold"))

    def decided(self, label: Label, decision: Decision) -> None:
        """Say what a step has decided; an act gets a spinner, or its environment's row."""
        board = self._board_of(label)
        if board is not None:
            board.reach(label.environment, label.step, _said(decision))
        if isinstance(decision, Done):
            checked = _verdict(label, decision) == "ok"
            text = decision.reason if checked else f"already done: {decision.reason}"
            self._line("✓" if checked else "·", "green", label, text)
        elif isinstance(decision, Act) and board is None:
            self._spin(label, decision.what)

    def _board_of(self, label: Label) -> Board | None:
        """Return the table that has a row for a step."""
        board = self._board
        return board if board is not None and label.environment in board else None

    def _spin(self, label: Label, text: str) -> None:
        with self._lock:
            if self._left:
                return
            if self._live is None:
                self._live = self._spinners()
                self._live.start()
            self._running[label] = self._live.add_task(text, label=str(label))

    def _spinners(self) -> Progress:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        return Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[label]:<16}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )

    def _stop(self, label: Label) -> None:
        with self._lock:
            task = self._running.pop(label, None)
            if self._live is None or task is None:
                return
            self._live.remove_task(task)
            if not self._running:
                self._live.stop()
                self._live = None

    def progress(self, label: Label, text: str) -> None:
        """Say beside the spinner, or in its environment's row, how far an act is."""
        board = self._board_of(label)
        if board is not None:
            board.say(label.environment, text)
            return
        with self._lock:
            if self._live is not None and label in self._running:
                self._live.update(self._running[label], description=text)

    def checked(self, label: Label, text: str, *, right: bool) -> None:
        """Say above the spinners what one of several checks has found."""
        self._line("✓" if right else "✗", "green" if right else "red", label, text)

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop(label)
        if board := self._board_of(label):
            board.say(label.environment, reason)
        self._line("✓", "green", label, f"{reason} ({duration.show(seconds)})")

    def failed(self, label: Label, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop(label)
        self._line("✗", "red", label, f"failed after {duration.show(seconds)}")

    def note(self, text: str) -> None:
        """Say something else that people should know; a long line stays one, so that it can be copied."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def side_by_side(self, environments: Sequence[str], usual: Callable[[str], float | None]) -> Iterator[None]:
        """Keep a table below everything that is said; it stays at the end, with every environment in it."""
        from rich.live import Live
        from rich.spinner import Spinner

        from kaizen_tasks.adapters.console.progress_table import View

        self._board = board = Board(environments, self._clock.elapsed)
        self._width = min(max(LABEL, *(len(f"evidence {name}") for name in environments)), self._console.width // 2)
        view = View(board, self._console, Spinner("dots"))
        try:
            with (
                _asking(board, environments, usual),
                Live(view, console=self._console, refresh_per_second=REDRAWN, transient=True),
            ):
                yield
        except BaseException:
            self._left = True  # those who are still at work must not hide the cursor again
            raise
        finally:
            self._board, self._width = None, LABEL
            self._console.print(view.whole)

    def ended(self, environment: str, fault: str) -> None:
        """Give the environment's row its outcome."""
        if self._board is not None:
            self._board.end(environment, fault)


@contextmanager
def _asking(board: Board, environments: Sequence[str], usual: Callable[[str], float | None]) -> Iterator[None]:
    """Find out the usual durations one by one, in the background: there is no hurry, and others have much to ask."""
    over = threading.Event()

    def ask() -> None:
        for environment in environments:
            if over.is_set():
                return
            board.expect(environment, usual(environment))

    threading.Thread(target=ask, name="usual", daemon=True).start()
    try:
        yield
    finally:
        over.set()
