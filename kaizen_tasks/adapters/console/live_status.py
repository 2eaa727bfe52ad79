"""Status on a terminal that is looked at again and again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from kaizen_tasks.domain.status import Row

AROUND = 6
"""Lines of a terminal that are not for environments: the table's head, the line below it, and some air."""

REDRAWN = 2
"""Times a second, so that a terminal that was made larger or smaller is soon filled again."""


class Screen:
    """The latest rows, drawn anew whenever they are printed, so that they fit the terminal as it is by then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._rows: Sequence[Row] = ()
        self._caption = "looking …"

    def show(self, rows: Sequence[Row], caption: str) -> None:
        """Draw other rows from now on, with a line about them below."""
        self._rows, self._caption = rows, caption

    def __rich__(self) -> RenderableType:
        """Draw what has room."""
        from rich.console import Group
        from rich.text import Text

        if not self._rows:
            return Text(self._caption, "dim")
        shown = chosen(self._rows, self.console.size.height - AROUND)
        hidden = len(self._rows) - len(shown)
        left_out = (
            f"{hidden} more environments, {_troubled(self._rows) - _troubled(shown)} with drift; " if hidden else ""
        )
        return Group(*tables.status(shown), Text(f"\n{left_out}{self._caption}", "dim"))

    @property
    def whole(self) -> RenderableType:
        """Every row."""
        from rich.console import Group

        return Group(*tables.status(self._rows))


@contextmanager
def screen() -> Iterator[Screen]:
    """Take the terminal's whole screen; give it back as it was, with the last rows below what stood there."""
    from rich.console import Console
    from rich.live import Live

    shown = Screen(Console(highlight=False, markup=False, emoji=False))
    try:
        with Live(shown, console=shown.console, screen=True, refresh_per_second=REDRAWN):
            yield shown
    finally:
        shown.console.print(shown.whole)


def chosen(rows: Sequence[Row], room: int) -> tuple[Row, ...]:
    """Return the rows to show where there is not room for all, in their order: those first that say something."""
    left, names = room, set[str]()
    for row in sorted(rows, key=lambda row: (not row.drift, not row.remarks)):
        left -= 1 + len(row.drift) + len(row.remarks)
        if left >= 0:
            names.add(row.environment.name)
    return tuple(row for row in rows if row.environment.name in names)


def _troubled(rows: Sequence[Row]) -> int:
    return sum(bool(row.drift) for row in rows)
