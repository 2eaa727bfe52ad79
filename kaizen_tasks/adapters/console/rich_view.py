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
from kaizen_tasks.adapters.console.layout.wrapped_text import hanging_lines, wrap_words
from kaizen_tasks.adapters.console.plain_view import LABEL_WIDTH, summary_text, with_duration
from kaizen_tasks.adapters.console.rollout import large
from kaizen_tasks.adapters.console.rollout.large import LargeRollout
from kaizen_tasks.adapters.console.rollout.progress import RolloutProgress
from kaizen_tasks.adapters.console.rollout.progress_table import ProgressTable
from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.adapters.console.spinners import Spinners
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from rich.progress import TaskID

REFRESH_PER_SECOND = 5  # of the rollout table: drawing competes with the worker threads for the GIL


SHOWN_SECONDS = 0.1  # of a step; what takes less is no news
TEXT_STYLES = {EventType.HEADING: "bold", EventType.SUMMARY: "bold green"}
SYMBOL_STYLES = {"✗": "red", "!": "yellow", "→": "cyan", "·": "dim"}
END_SYMBOLS = {"complete": "✓", "interrupted": "!", "gave up": "✗"}


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
        self._draw_lock = threading.RLock()
        self._label_width = self._width = min(label_width, self._console.width // 2)
        self._name_width = 0
        self._rollout: RolloutProgress | None = None
        self._large: LargeRollout | None = None
        self._is_aborted = False
        self._live: Spinners | None = None
        self._tasks: dict[StepLabel, TaskID] = {}

    def show(self, event: RunEvent) -> None:
        """Show an event: as a line, beside its step's spinner, or in its environment's row of the table."""
        with self._draw_lock:
            self._track(event)
            for visible_event in self._large.visible(event) if self._large is not None else (event,):
                self._print(visible_event)

    def _track(self, event: RunEvent) -> None:
        """Show an event beside its step's spinner, or in its environment's row."""
        rollout = self._row_of(event)
        match event.type:
            case EventType.DECIDED if rollout is not None:
                rollout.start_step(event.environment, event.step, event.reason)
            case EventType.DECIDED if event.verdict == "begin":
                self._start_spinner(event.label, event.reason)
            case EventType.PROGRESS | EventType.ACTIVITY:
                self._show_progress(event)
            case EventType.FINISHED:
                self._stop_spinner(event.label)
                if rollout is not None and event.verdict == "done":
                    rollout.update_text(event.environment, event.reason)
            case EventType.ENVIRONMENT_FINISHED if rollout is not None:
                rollout.finish(event.environment, event.reason, is_interrupted=event.verdict == "interrupted")

    def _print(self, event: RunEvent) -> None:
        """Print the line of an event, if it has one."""
        match event.type:
            case EventType.HEADING | EventType.NOTE | EventType.SUMMARY:
                self._print_text(summary_text(event) if event.type is EventType.SUMMARY else event.text, event.type)
            case EventType.DECIDED:
                self._print_decision(event)
            case EventType.CHECKED:
                self._line("✓" if event.verdict == "ok" else "✗", str(event.label), event.reason)
            case EventType.FINISHED:
                self._print_end(event)
            case EventType.ENVIRONMENT_FINISHED if self._large is not None and self._rollout is not None:
                text = large.result_text(self._rollout, event.environment, event.reason)
                self._line(END_SYMBOLS[event.verdict], event.environment, text, width=self._name_width)

    def _print_text(self, text: str, event_type: EventType) -> None:
        lines = wrap_words(text, self._console.width)
        self._console.print(Text("\n".join(lines), TEXT_STYLES.get(event_type, "")), soft_wrap=True)

    def _line(self, symbol: str, label: str, text: str, *, width: int = 0) -> None:
        head = f"{symbol} {label:<{width or self._width}} "
        lines = Text("\n".join(hanging_lines(head, text, self._console.width)), "dim" if symbol == "·" else "")
        lines.stylize("not dim", 0, len(head))
        lines.stylize(SYMBOL_STYLES.get(symbol, "green"), 0, 1)
        self._console.print(lines, soft_wrap=True)

    def _row_of(self, event: RunEvent) -> RolloutProgress | None:
        """Return the rollout if one of its environments is the event's, else None."""
        rollout = self._rollout
        return rollout if rollout is not None and event.environment in rollout else None

    def _print_decision(self, event: RunEvent) -> None:
        if event.verdict == "ok":
            self._line("✓", str(event.label), event.reason)
        elif event.verdict == "already done":
            self._line("·", str(event.label), f"already done: {event.reason}")
        elif event.verdict == "would":
            self._line("→", str(event.label), event.reason)

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

    def _print_end(self, event: RunEvent) -> None:
        label = str(event.label)
        if event.verdict in {"failed", "interrupted"}:
            self._line("✗" if event.verdict == "failed" else "!", label, f"{event.verdict} {with_duration(event)}")
            return
        is_instant = event.seconds is not None and event.seconds < SHOWN_SECONDS
        self._line("✓", label, event.reason if is_instant else with_duration(event))

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
        """Show a table below all other output while the context lasts; at the end, print it with every environment.

        Of a large rollout, whose environments have a line each when they end, it shows what is at work and what failed.
        """
        self._rollout = rollout = RolloutProgress(environments, self._clock.monotonic)
        self._large = large.select_lines(environments)
        self._name_width = min(max(map(len, environments), default=0) + 1, self._console.width // 2)
        longest_label = max(LABEL_WIDTH, *(len(f"evidence {name}") for name in environments))
        self._width = min(longest_label, self._console.width // 2)
        table = ProgressTable(rollout, self._console, Spinner("dots"), is_large=self._large is not None)
        try:
            live = Live(table, console=self._console, auto_refresh=False, transient=True)
            with _fetching_durations(rollout, environments, typical_duration), live, self._refreshing(live):
                yield
        except BaseException:
            self._is_aborted = True  # threads that still run must not hide the cursor again
            raise
        finally:
            self._rollout, self._large, self._width = None, None, self._label_width
            self._console.print(table.full_table)

    @contextmanager
    def _refreshing(self, live: Live) -> Iterator[None]:
        """Draw the table again and again, never while a line is printed: as its height changes, that would be lost."""
        is_finished = threading.Event()

        def refresh() -> None:
            while not is_finished.wait(1 / REFRESH_PER_SECOND):
                with self._draw_lock:
                    live.refresh()

        thread = threading.Thread(target=refresh, name="rollout table", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_finished.set()
            thread.join()


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
