"""Shows what happens on a terminal."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.progress import RolloutProgress
from kaizen_tasks.adapters.console.progress_table import ProgressTable
from kaizen_tasks.adapters.console.reporter import LABEL_WIDTH
from kaizen_tasks.adapters.console.verdicts import CHECK_STEPS, decision_text
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Act, Decision, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import TaskID

    from kaizen_tasks.domain.release import StepLabel
    from kaizen_tasks.ports.clock import Clock

REFRESH_PER_SECOND = 5
"""Refreshes per second of the rollout table. Drawing competes with the worker threads for the GIL."""


class RichReporter:
    """Shows finished steps as lines; below them what runs: a spinner for a step, a table for several environments.

    Args:
        stream: a terminal.
        clock: for durations.
    """

    def __init__(self, stream: TextIO, *, clock: Clock | None = None) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._width = LABEL_WIDTH
        self._rollout: RolloutProgress | None = None
        self._is_aborted = False
        self._live: Progress | None = None
        self._tasks: dict[StepLabel, TaskID] = {}

    def _line(self, symbol: str, style: str, label: StepLabel, text: str) -> None:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=self._width)
        row.add_column()
        row.add_row(Text(symbol, style), Text(str(label)), Text(text, "dim" if symbol == "·" else ""))
        self._console.print(row)

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""
        self._console.print(Text(text, "bold"))

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Show what a step has decided; an act gets a spinner, or its environment's row."""
        rollout = self._rollout_of(label)
        if rollout is not None:
            rollout.start_step(label.environment, label.step, decision_text(decision))
        if isinstance(decision, Done):
            is_check = label.step in CHECK_STEPS
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
        """Show beside the spinner, or in the environment's row, how far an act is."""
        rollout = self._rollout_of(label)
        if rollout is not None:
            rollout.update_text(label.environment, text)
            return
        with self._lock:
            if self._live is not None and label in self._tasks:
                self._live.update(self._tasks[label], description=text)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show above the spinners the result of one of several checks."""
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
        """Show a line; a long one is not wrapped, so that it can be copied."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Keep a table below all other output; at the end it stays, with every environment in it."""
        self._rollout = rollout = RolloutProgress(environments, self._clock.monotonic)
        longest_label = max(LABEL_WIDTH, *(len(f"evidence {name}") for name in environments))
        self._width = min(longest_label, self._console.width // 2)
        table = ProgressTable(rollout, self._console, Spinner("dots"))
        try:
            with (
                _fetching_durations(rollout, environments, typical_duration),
                Live(table, console=self._console, refresh_per_second=REFRESH_PER_SECOND, transient=True),
            ):
                yield
        except BaseException:
            self._is_aborted = True  # threads that still run must not hide the cursor again
            raise
        finally:
            self._rollout, self._width = None, LABEL_WIDTH
            self._console.print(table.full_table)

    def environment_finished(self, environment: str, error: str) -> None:
        """Show the result in the environment's row."""
        if self._rollout is not None:
            self._rollout.finish(environment, error)


@contextmanager
def _fetching_durations(
    rollout: RolloutProgress, environments: Sequence[str], typical_duration: Callable[[str], float | None]
) -> Iterator[None]:
    """Fetch the typical durations in the background, one by one: the rollout's own requests come first."""
    is_finished = threading.Event()

    def fetch() -> None:
        for environment in environments:
            if is_finished.is_set():
                return
            rollout.set_typical_duration(environment, typical_duration(environment))

    threading.Thread(target=fetch, name="typical durations", daemon=True).start()
    try:
        yield
    finally:
        is_finished.set()
