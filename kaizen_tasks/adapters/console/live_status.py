"""Status on a terminal that is looked at again and again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from kaizen_tasks.domain.status import EnvironmentStatus

RESERVED_LINES = 6
"""Lines of a terminal that are not for environments: the table's head, the line below it, and some air."""

REFRESH_PER_SECOND = 2
"""Times a second, so that a terminal that was made larger or smaller is soon filled again."""


class LiveStatus:
    """The latest rows, drawn anew whenever they are printed, so that they fit the terminal as it is by then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._rows: Sequence[EnvironmentStatus] = ()
        self._caption = "looking …"

    def update(self, rows: Sequence[EnvironmentStatus], caption: str) -> None:
        """Draw other rows from now on, with a line about them below."""
        self._rows, self._caption = rows, caption

    def __rich__(self) -> RenderableType:
        """Draw what has room."""
        from rich.console import Group
        from rich.text import Text

        if not self._rows:
            return Text(self._caption, "dim")
        visible_rows = rows_that_fit(self._rows, self.console.size.height - RESERVED_LINES)
        hidden_count = len(self._rows) - len(visible_rows)
        omission = (
            f"{hidden_count} more environments, {_count_drifting(self._rows) - _count_drifting(visible_rows)} with drift; "
            if hidden_count
            else ""
        )
        return Group(*tables.render_status(visible_rows), Text(f"\n{omission}{self._caption}", "dim"))

    @property
    def full_table(self) -> RenderableType:
        """Every row."""
        from rich.console import Group

        return Group(*tables.render_status(self._rows))


@contextmanager
def live_screen() -> Iterator[LiveStatus]:
    """Take the terminal's whole screen; give it back as it was, with the last rows below what stood there."""
    from rich.console import Console
    from rich.live import Live

    status = LiveStatus(Console(highlight=False, markup=False, emoji=False))
    try:
        with Live(status, console=status.console, screen=True, refresh_per_second=REFRESH_PER_SECOND):
            yield status
    finally:
        status.console.print(status.full_table)


def rows_that_fit(rows: Sequence[EnvironmentStatus], height: int) -> tuple[EnvironmentStatus, ...]:
    """Return the rows to show where there is not room for all, in their order: those first that say something."""
    free_lines, names = height, set[str]()
    for row in sorted(rows, key=lambda row: (not row.drift, not row.notes)):
        free_lines -= 1 + len(row.drift) + len(row.notes)
        if free_lines >= 0:
            names.add(row.environment.name)
    return tuple(row for row in rows if row.environment.name in names)


def _count_drifting(rows: Sequence[EnvironmentStatus]) -> int:
    return sum(bool(row.drift) for row in rows)
