"""Shows events on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.adapters.console.plain_view import LABEL_WIDTH, summary_text, with_duration
from kaizen_tasks.adapters.console.progress import RolloutProgress
from kaizen_tasks.adapters.console.progress_table import ProgressTable
from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.adapters.console.spinners import Spinners
from kaizen_tasks.adapters.console.wrapped_text import hanging_lines, wrap_words
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from rich.progress import TaskID

REFRESH_PER_SECOND = 5  # of the rollout table: drawing competes with the worker threads for the GIL


SHOWN_SECONDS = 0.1  # of a step; what takes less is no news
TEXT_STYLES = {EventType.HEADING: "bold", EventType.SUMMARY: "bold green"}
SYMBOL_STYLES = {"✗": "red", "!": "yellow", "→": "cyan", "·": "dim"}


class RichView:
    """Shows finished steps as lines and, below the lines, running ones: as spinners, or as a table during a rollout.

    Args:
        stream: a terminal.
        clock: clock for durations.
        label_width: columns for labels; at most half of the terminal.
    """

    def __init__(self, stream: TextIO, clock: Clock, label_width: int = LABEL_WIDTH) -> None:
        self._console = SafeConsole(stream)
        self._clock = clock
        self._lock = threading.Lock()
        self._label_width = self._width = min(label_width, self._console.width // 2)
        self._rollout: RolloutProgress | None = None
        self._is_aborted = False
        self._live: Spinners | None = None
        self._tasks: dict[StepLabel, TaskID] = {}

    def show(self, event: RunEvent) -> None:
        """Show an event: as a line, beside its step's spinner, or in its environment's row of the table."""
        match event.type:
            case EventType.HEADING | EventType.NOTE | EventType.SUMMARY:
                self._print_text(summary_text(event) if event.type is EventType.SUMMARY else event.text, event.type)
            case EventType.DECIDED:
                self._show_decision(event)
            case EventType.PROGRESS | EventType.ACTIVITY:
                self._show_progress(event)
            case EventType.CHECKED:
                self._line("✓" if event.verdict == "ok" else "✗", event, event.reason)
            case EventType.FINISHED:
                self._show_end(event)
            case EventType.ENVIRONMENT_FINISHED if self._rollout is not None:
                self._rollout.finish(event.environment, event.reason, is_interrupted=event.verdict == "interrupted")

    def _print_text(self, text: str, event_type: EventType) -> None:
        lines = wrap_words(text, self._console.width)
        self._console.print(Text("\n".join(lines), TEXT_STYLES.get(event_type, "")), soft_wrap=True)

    def _line(self, symbol: str, event: RunEvent, text: str) -> None:
        head = f"{symbol} {event.label!s:<{self._width}} "
        lines = Text("\n".join(hanging_lines(head, text, self._console.width)), "dim" if symbol == "·" else "")
        lines.stylize("not dim", 0, len(head))
        lines.stylize(SYMBOL_STYLES.get(symbol, "green"), 0, 1)
        self._console.print(lines, soft_wrap=True)

    def _row_of(self, event: RunEvent) -> RolloutProgress | None:
        """Return the rollout if one of its environments is the event's, else None."""
        rollout = self._rollout
        return rollout if rollout is not None and event.environment in rollout else None

    def _show_decision(self, event: RunEvent) -> None:
        rollout = self._row_of(event)
        if rollout is not None:
            rollout.start_step(event.environment, event.step, event.reason)
        if event.verdict == "ok":
            self._line("✓", event, event.reason)
        elif event.verdict == "already done":
            self._line("·", event, f"already done: {event.reason}")
        elif event.verdict == "would":
            self._line("→", event, event.reason)
        elif event.verdict == "begin" and rollout is None:
            self._start_spinner(event.label, event.reason)

    def _show_progress(self, event: RunEvent) -> None:
        """Show progress in its environment's row, or beside its step's spinner; activity is shown below the spinner."""
        if rollout := self._row_of(event):
            rollout.update_text(event.environment, event.reason)
            return
        with self._lock:
            task = self._tasks.get(event.label)
            if self._live is None or task is None:
                return
            if event.type is EventType.ACTIVITY:
                self._live.add_line(task, event.reason, replaces=event.verdict == "replaces")
            else:
                self._live.set_progress(task, event.reason, typical_seconds=event.typical_seconds)

    def _show_end(self, event: RunEvent) -> None:
        """Replace a step's spinner by a line with the result."""
        self._stop_spinner(event.label)
        if event.verdict in {"failed", "interrupted"}:
            self._line("✗" if event.verdict == "failed" else "!", event, f"{event.verdict} {with_duration(event)}")
            return
        if rollout := self._row_of(event):
            rollout.update_text(event.environment, event.reason)
        is_instant = event.seconds is not None and event.seconds < SHOWN_SECONDS
        self._line("✓", event, event.reason if is_instant else with_duration(event))

    def _start_spinner(self, label: StepLabel, text: str) -> None:
        with self._lock:
            if self._is_aborted:
                return
            if self._live is None:
                self._live = Spinners(self._console, self._clock.monotonic, self._width)
                self._live.start()
            self._tasks[label] = self._live.add_task(text, label=str(label))

    def _stop_spinner(self, label: StepLabel) -> None:
        with self._lock:
            task = self._tasks.pop(label, None)
            if self._live is None or task is None:
                return
            self._live.remove_task(task)
            if not self._tasks:
                self._live.stop()
                self._live = None

    @contextmanager
    def rollout(self, environments: Sequence[str], typical_duration: Callable[[str], float | None]) -> Iterator[None]:
        """Show a table below all other output while the context lasts; at the end, print it with every environment."""
        self._rollout = rollout = RolloutProgress(environments, self._clock.monotonic)
        longest_label = max(LABEL_WIDTH, *(len(f"evidence {name}") for name in environments))
        self._width = min(longest_label, self._console.width // 2)
        table = ProgressTable(rollout, self._console, Spinner("dots"))
        try:
            live = Live(table, console=self._console, refresh_per_second=REFRESH_PER_SECOND, transient=True)
            with _fetching_durations(rollout, environments, typical_duration), live:
                yield
        except BaseException:
            self._is_aborted = True  # threads that still run must not hide the cursor again
            raise
        finally:
            self._rollout, self._width = None, self._label_width
            self._console.print(table.full_table)


@contextmanager
def _fetching_durations(
    rollout: RolloutProgress, environments: Sequence[str], typical_duration: Callable[[str], float | None]
) -> Iterator[None]:
    """Fetch typical durations in the background, one at a time, to leave the network to the rollout's own requests."""
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
