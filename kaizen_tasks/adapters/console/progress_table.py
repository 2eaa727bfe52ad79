"""Draws a board for people in front of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.progress import Board, Line, State, chosen, counts
from kaizen_tasks.domain import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

MARKS = {State.FAILED: ("✗", "red"), State.WAITING: ("·", "dim"), State.DONE: ("✓", "green")}
STYLES = {State.FAILED: "red", State.ACTIVE: "cyan", State.WAITING: "dim", State.DONE: "green"}
AROUND = 4
"""Lines of a terminal that are not for environments: heading, counts, and two for what has been said above."""

LATE = 1.5
"""Times the usual duration from which on the elapsed time catches the eye."""


class View:
    """A board that is drawn anew whenever it is printed, so that it fits the terminal as it is by then.

    Args:
        board: what to draw.
        console: where to.
        turning: stands before environments that are at work.
    """

    def __init__(self, board: Board, console: Console, turning: RenderableType) -> None:
        self._board = board
        self._console = console
        self._turning = turning

    def __rich__(self) -> RenderableType:
        """Draw what has room."""
        return self._drawn(self._console.size.height - AROUND, self._turning)

    @property
    def whole(self) -> RenderableType:
        """Every environment; what is still at work has been interrupted."""
        from rich.text import Text

        return self._drawn(len(self._board.lines), Text("!", "yellow"))

    def _drawn(self, room: int, turning: RenderableType) -> RenderableType:
        from rich.console import Group

        lines, now = self._board.lines, self._board.elapsed()
        shown = chosen(lines, room)
        known = any(line.usual is not None for line in lines)
        table = _table(("environment", "step", "elapsed", "usual") if known else ("environment", "step", "elapsed"))
        for line in shown:
            cells = _cells(line, now)
            table.add_row(_mark(line, turning), *(cells if known else cells[:-1]), _text(line))
        return Group(table, _summary(lines, len(shown), now - self._board.began))


def _table(names: Sequence[str]) -> Table:
    """Return an empty table, whose last column is the first to give way on a narrow terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(width=1)
    for name in names:
        table.add_column(name, no_wrap=True, justify="right" if name in {"elapsed", "usual"} else "left")
    table.add_column()
    return table


def _mark(line: Line, turning: RenderableType) -> RenderableType:
    from rich.text import Text

    return turning if line.state is State.ACTIVE else Text(*MARKS[line.state])


def _cells(line: Line, now: float) -> list[Text]:
    from rich.text import Text

    took = line.took(now)
    late = took is not None and line.usual is not None and took > line.usual * LATE
    return [
        Text(line.name),
        Text(line.step if line.state in {State.ACTIVE, State.FAILED} else str(line.state), STYLES[line.state]),
        Text("" if took is None else duration.show(took), "yellow" if late else ""),
        Text("" if line.usual is None else duration.show(line.usual), "dim"),
    ]


def _text(line: Line) -> Text:
    from rich.text import Text

    style = "" if line.state is State.FAILED else "dim"
    return Text(" ".join(line.text.split()), style, no_wrap=True, overflow="ellipsis")


def _summary(lines: Sequence[Line], shown: int, seconds: float) -> Text:
    """Count everything, whether it is shown or not."""
    from rich.text import Text

    words = [Text(f"{number} {state}", STYLES[state]) for state, number in counts(lines).items() if number]
    hidden = f", {len(lines) - shown} not shown" if shown < len(lines) else ""
    said = Text(", ").join(words)
    text = Text.assemble(
        f"{len(lines)} environment{'' if len(lines) == 1 else 's'}: ", said, f"; {duration.show(seconds)}{hidden}"
    )
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
