"""Draws the steps at work on a terminal: a spinner for each and, below it, what the step is doing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import Factory, define
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

MAX_LINES = 4  # of a step's activity


@define
class _Activity:
    """The last lines of a program's output, and the state below them."""

    lines: deque[str] = Factory(lambda: deque(maxlen=MAX_LINES))
    state: str = ""


class Spinners(Progress):
    """Spinners, each with the last lines of what its step is doing; they vanish when the step has ended."""

    def __init__(self, console: Console) -> None:
        self._activities: dict[TaskID, _Activity] = {}
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.fields[label]:<16}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )

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
