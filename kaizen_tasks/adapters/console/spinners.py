"""Draws the steps at work on a terminal: a spinner for each and, below it, what the step is doing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import Factory, define
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from kaizen_tasks.adapters.console.rollout.progress_table import LATE_FACTOR
from kaizen_tasks.domain.text import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console, RenderableType

MAX_LINES = 4  # of a step's activity


@define
class _Activity:
    """The last lines of a program's output, and the state below them."""

    lines: deque[str] = Factory(lambda: deque(maxlen=MAX_LINES))
    state: str = ""


class _ElapsedColumn(ProgressColumn):
    """The time since a step has begun, and how long it usually takes: `0:15 of usually 0:26`."""

    def render(self, task: Task) -> Text:
        """Return the text for one step."""
        typical_seconds = round(task.fields.get("typical_seconds", 0))
        usual = f" of usually {duration.format_clock(typical_seconds)}" if typical_seconds else ""
        is_late = bool(typical_seconds) and (task.elapsed or 0) > typical_seconds * LATE_FACTOR
        return Text(f"{duration.format_clock(task.elapsed or 0)}{usual}", "yellow" if is_late else "cyan")


class Spinners(Progress):
    """Spinners, each with the last lines of what its step is doing; they vanish when the step has ended.

    Args:
        console: where to draw.
        monotonic: returns the seconds of a clock that never goes back.
        label_width: columns for labels.
    """

    def __init__(self, console: Console, monotonic: Callable[[], float], label_width: int = 0) -> None:
        self._activities: dict[TaskID, _Activity] = {}
        cut_column = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # all others keep their width
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.fields[label]}", markup=False, table_column=Column(no_wrap=True, min_width=label_width)),
            _ElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.description}", markup=False, table_column=cut_column),
            console=console,
            transient=True,
            get_time=monotonic,
            expand=True,
        )

    def set_progress(self, task: TaskID, text: str, *, typical_seconds: float | None) -> None:
        """Show beside a step's spinner what it is doing and, once it is known, how long that usually takes."""
        self.update(task, description=text)
        if typical_seconds is not None:
            self.update(task, typical_seconds=typical_seconds)

    def add_line(self, task: TaskID, text: str, *, replaces: bool) -> None:
        """Add a line of output below a step's spinner; with `replaces`, show a state there in place of the last one."""
        activity = self._activities.setdefault(task, _Activity())
        if replaces:
            activity.state = text
        elif text.strip():
            activity.lines.append(text)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield each spinner, and the lines below it, cut at the width of the terminal."""
        for task in self.tasks:
            yield self.make_tasks_table([task])
            activity = self._activities.get(task.id, _Activity())
            for line in (*activity.lines, *filter(None, [activity.state])):
                yield Text(f"    {line.rstrip()}", "dim", no_wrap=True, overflow="ellipsis")
