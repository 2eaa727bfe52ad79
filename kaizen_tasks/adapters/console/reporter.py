"""Tells people what happens: rich on a terminal, plain lines everywhere else."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.adapters.console.progress import RolloutProgress
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress, TaskID

    from kaizen_tasks.domain.release import StepLabel
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.reporter import Reporter

CHECK_STEPS = ("preflight", "evidence")
"""Steps that look and never act: finding nothing wrong is not work that was done before."""

LABEL_WIDTH = 16
"""Columns for a step's name and its environment's."""

REFRESH_PER_SECOND = 5
"""Times a second that the table of a rollout is drawn: it costs the time of those who are at work."""


def create_reporter(stream: TextIO, *, dry: bool, clock: Clock | None = None) -> Reporter:
    """Return what fits the stream: a person who watches, or a file, a pipe, a CI log.

    Args:
        stream: where to.
        dry: whether acts are only announced.
        clock: of the times that are said.
    """
    if is_interactive(stream) and not dry:
        return RichReporter(stream, clock=clock)
    return PlainReporter(stream, dry=dry, clock=clock)


def is_interactive(stream: TextIO) -> bool:
    """Return whether a person sees the stream as it is written, on a terminal that can move its cursor.

    Some CI runners lend a terminal to what they run, and keep its every frame in their log.
    """
    has_cursor = os.environ.get("TERM", "") not in {"dumb", "unknown"}
    return stream.isatty() and has_cursor and os.environ.get("CI", "").lower() in {"", "0", "false"}


def _decision_text(decision: Decision) -> str:
    match decision:
        case Done(reason=text) | Act(description=text):
            return text
        case Refuse(reasons=reasons):
            return "; ".join(reasons)


def _verdict(label: StepLabel, _done: Done) -> str:
    return "ok" if label.step in CHECK_STEPS else "already done"


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
        self._rollout: RolloutProgress | None = None
        self._lock = threading.Lock()

    def _line(self, verdict: str, label: object, text: str) -> None:
        self._write(f"  {verdict:<12}  {label!s:<{LABEL_WIDTH}}  {text}".rstrip())

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        self.note(text)

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Say what a step has decided; a refusal says itself, as an error."""
        if self._rollout is not None and label.environment in self._rollout:
            self._rollout.start_step(label.environment, label.step, _decision_text(decision))
        if isinstance(decision, Done):
            self._line(_verdict(label, decision), label, decision.reason)
        elif isinstance(decision, Act):
            self._line("would" if self._dry else "begin", label, decision.description)

    def progress(self, label: StepLabel, text: str) -> None:
        """Say how far an act is."""
        self._line("…", label, text)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Say what one of several checks of an act has found."""
        self._line("ok" if ok else "wrong", label, text)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Say that an act has ended well."""
        self._line("done", label, f"{reason} ({duration.format_duration(seconds)})")

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Say that an act has ended badly."""
        self._line("failed", label, f"after {duration.format_duration(seconds)}")

    def note(self, text: str) -> None:
        """Write one line at once, whole."""
        self._write(text if self._rollout is None else f"  {text}")

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Say the time with every line; a plan happens at no time."""
        self._rollout = None if self._dry else RolloutProgress(environments, self._clock.monotonic)
        try:
            yield
        finally:
            self._rollout = None

    def environment_finished(self, environment: str, error: str) -> None:
        """Say how many environments are through, and with what result."""
        if self._rollout is None:
            return
        outcome = self._rollout.finish(environment, error)
        finished_count = sum(progress.finished_at is not None for progress in self._rollout.environments)
        elapsed = duration.format_duration(outcome.elapsed(self._clock.monotonic()) or 0)
        text = f"{finished_count} of {len(self._rollout.environments)} ({elapsed}){f': {error}' if error else ''}"
        self._line("gave up" if error else "complete", environment, text)

    def _write(self, line: str) -> None:
        with self._lock:
            timestamp = "" if self._rollout is None else f"{self._clock.now():%H:%M:%S}Z"
            self._stream.write(f"{timestamp}{line}\n")
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
        self._width = LABEL_WIDTH
        self._rollout: RolloutProgress | None = None
        self._is_aborted = False
        self._live: Progress | None = None
        self._tasks: dict[StepLabel, TaskID] = {}

    def _line(self, symbol: str, style: str, label: StepLabel, text: str) -> None:
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=self._width)
        row.add_column()
        row.add_row(Text(symbol, style), Text(str(label)), Text(text, "dim" if symbol == "·" else ""))
        self._console.print(row)

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        from rich.text import Text

        self._console.print(Text(text, "bold"))

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Say what a step has decided; an act gets a spinner, or its environment's row."""
        rollout = self._rollout_of(label)
        if rollout is not None:
            rollout.start_step(label.environment, label.step, _decision_text(decision))
        if isinstance(decision, Done):
            is_check = _verdict(label, decision) == "ok"
            text = decision.reason if is_check else f"already done: {decision.reason}"
            self._line("✓" if is_check else "·", "green", label, text)
        elif isinstance(decision, Act) and rollout is None:
            self._start_spinner(label, decision.description)

    def _rollout_of(self, label: StepLabel) -> RolloutProgress | None:
        """Return the table that has a row for a step."""
        rollout = self._rollout
        return rollout if rollout is not None and label.environment in rollout else None

    def _start_spinner(self, label: StepLabel, text: str) -> None:
        with self._lock:
            if self._is_aborted:
                return
            if self._live is None:
                self._live = self._create_spinners()
                self._live.start()
            self._tasks[label] = self._live.add_task(text, label=str(label))

    def _create_spinners(self) -> Progress:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        return Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[label]:<16}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )

    def _stop_spinner(self, label: StepLabel) -> None:
        with self._lock:
            task = self._tasks.pop(label, None)
            if self._live is None or task is None:
                return
            self._live.remove_task(task)
            if not self._tasks:
                self._live.stop()
                self._live = None

    def progress(self, label: StepLabel, text: str) -> None:
        """Say beside the spinner, or in its environment's row, how far an act is."""
        rollout = self._rollout_of(label)
        if rollout is not None:
            rollout.update_text(label.environment, text)
            return
        with self._lock:
            if self._live is not None and label in self._tasks:
                self._live.update(self._tasks[label], description=text)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Say above the spinners what one of several checks has found."""
        self._line("✓" if ok else "✗", "green" if ok else "red", label, text)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop_spinner(label)
        if rollout := self._rollout_of(label):
            rollout.update_text(label.environment, reason)
        self._line("✓", "green", label, f"{reason} ({duration.format_duration(seconds)})")

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop_spinner(label)
        self._line("✗", "red", label, f"failed after {duration.format_duration(seconds)}")

    def note(self, text: str) -> None:
        """Say something else that people should know; a long line stays one, so that it can be copied."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Keep a table below everything that is said; it stays at the end, with every environment in it."""
        from rich.live import Live
        from rich.spinner import Spinner

        from kaizen_tasks.adapters.console.progress_table import ProgressTable

        self._rollout = rollout = RolloutProgress(environments, self._clock.monotonic)
        self._width = min(
            max(LABEL_WIDTH, *(len(f"evidence {name}") for name in environments)), self._console.width // 2
        )
        table = ProgressTable(rollout, self._console, Spinner("dots"))
        try:
            with (
                _fetching_durations(rollout, environments, typical_duration),
                Live(table, console=self._console, refresh_per_second=REFRESH_PER_SECOND, transient=True),
            ):
                yield
        except BaseException:
            self._is_aborted = True  # those who are still at work must not hide the cursor again
            raise
        finally:
            self._rollout, self._width = None, LABEL_WIDTH
            self._console.print(table.full_table)

    def environment_finished(self, environment: str, error: str) -> None:
        """Give the environment's row its outcome."""
        if self._rollout is not None:
            self._rollout.finish(environment, error)


@contextmanager
def _fetching_durations(
    rollout: RolloutProgress, environments: Sequence[str], typical_duration: Callable[[str], float | None]
) -> Iterator[None]:
    """Find out the usual durations one by one, in the background: there is no hurry, and others have much to ask."""
    is_finished = threading.Event()

    def fetch() -> None:
        for environment in environments:
            if is_finished.is_set():
                return
            rollout.set_typical_duration(environment, typical_duration(environment))

    threading.Thread(target=fetch, name="usual", daemon=True).start()
    try:
        yield
    finally:
        is_finished.set()
