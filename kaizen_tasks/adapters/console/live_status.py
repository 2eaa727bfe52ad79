"""The screen of `status --watch`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from kaizen_tasks.adapters.console import tables
from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.domain.status import EnvironmentStatus, StatusView

RESERVED_LINES = 6  # lines of the terminal that are not rows: the table's head, the legend, the caption, empty lines
REFRESH_PER_SECOND = 2  # refreshes per second, so that a resized terminal is soon filled again


class LiveStatus:
    """The status table of `status --watch`, rendered on each refresh to fit the current terminal size."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._view: StatusView | None = None
        self._now = datetime.now(UTC)
        self._caption = "checking …"

    def update(self, view: StatusView, now: datetime, caption: str) -> None:
        """Replace the rows of the table, the time to which their ages are relative, and the caption below the table."""
        self._view, self._now, self._caption = view, now, caption

    def __rich__(self) -> RenderableType:
        """Return the table with the rows that fit the terminal."""
        if self._view is None:
            return Text(self._caption, "dim")
        rows, unchanged = self._view.rows, self._view.hidden_text
        visible_rows = rows_that_fit(rows, self.console.size.height - RESERVED_LINES)
        hidden_count = len(rows) - len(visible_rows)
        hidden_drift = _count_drifting(rows) - _count_drifting(visible_rows)
        hidden = f"{hidden_count} more environments, {hidden_drift} with drift; " if hidden_count else ""
        caption = Text(f"\n{hidden}{self._caption}", "dim")
        return Group(*tables.render_status(visible_rows, self._now), *filter(None, [unchanged]), caption)

    @property
    def full_table(self) -> RenderableType:
        """The table with every row."""
        rows = self._view.rows if self._view is not None else ()
        return Group(*tables.render_status(rows, self._now))


@contextmanager
def live_screen() -> Iterator[LiveStatus]:
    """Show the status table on the terminal's alternate screen; on leaving, restore the terminal and print all rows."""
    status = LiveStatus(SafeConsole())
    try:
        with Live(status, console=status.console, screen=True, refresh_per_second=REFRESH_PER_SECOND):
            yield status
    finally:
        status.console.print(status.full_table)


def rows_that_fit(rows: Sequence[EnvironmentStatus], height: int) -> tuple[EnvironmentStatus, ...]:
    """Return the rows that fit `height` lines, in their order; rows with drift or notes are preferred."""
    free_lines, names = height, set[str]()
    for row in sorted(rows, key=lambda row: (not row.drift, not row.notes)):
        free_lines -= 1 + len(row.drift) + len(row.notes)
        if free_lines >= 0:
            names.add(row.environment.name)
    return tuple(row for row in rows if row.environment.name in names)


def _count_drifting(rows: Sequence[EnvironmentStatus]) -> int:
    return sum(bool(row.drift) for row in rows)
