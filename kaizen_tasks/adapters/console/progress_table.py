"""Draws a board for people in front of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.progress import (
    EnvironmentProgress,
    ProgressState,
    RolloutProgress,
    count_states,
    environments_that_fit,
)
from kaizen_tasks.domain import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

STATE_SYMBOLS = {
    ProgressState.FAILED: ("✗", "red"),
    ProgressState.WAITING: ("·", "dim"),
    ProgressState.DONE: ("✓", "green"),
}
STATE_STYLES = {
    ProgressState.FAILED: "red",
    ProgressState.ACTIVE: "cyan",
    ProgressState.WAITING: "dim",
    ProgressState.DONE: "green",
}
RESERVED_LINES = 4
"""Lines of a terminal that are not for environments: heading, counts, and two for what has been said above."""

LATE_FACTOR = 1.5
"""Times the usual duration from which on the elapsed time catches the eye."""


class ProgressTable:
    """A board that is drawn anew whenever it is printed, so that it fits the terminal as it is by then.

    Args:
        rollout: what to draw.
        console: where to.
        spinner: stands before environments that are at work.
    """

    def __init__(self, rollout: RolloutProgress, console: Console, spinner: RenderableType) -> None:
        self._rollout = rollout
        self._console = console
        self._spinner = spinner

    def __rich__(self) -> RenderableType:
        """Draw what has room."""
        return self._render(self._console.size.height - RESERVED_LINES, self._spinner)

    @property
    def full_table(self) -> RenderableType:
        """Every environment; what is still at work has been interrupted."""
        from rich.text import Text

        return self._render(len(self._rollout.environments), Text("!", "yellow"))

    def _render(self, height: int, spinner: RenderableType) -> RenderableType:
        from rich.console import Group

        environments, now = self._rollout.environments, self._rollout.monotonic()
        visible_environments = environments_that_fit(environments, height)
        has_typical_durations = any(environment.typical_duration is not None for environment in environments)
        table = _table(
            ("environment", "step", "elapsed", "usual") if has_typical_durations else ("environment", "step", "elapsed")
        )
        for environment in visible_environments:
            cells = _cells(environment, now)
            table.add_row(
                _symbol(environment, spinner), *(cells if has_typical_durations else cells[:-1]), _text(environment)
            )
        return Group(table, _summary(environments, len(visible_environments), now - self._rollout.started_at))


def _table(names: Sequence[str]) -> Table:
    """Return an empty table, whose last column is the first to give way on a narrow terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(width=1)
    for name in names:
        table.add_column(name, no_wrap=True, justify="right" if name in {"elapsed", "usual"} else "left")
    table.add_column()
    return table


def _symbol(environment: EnvironmentProgress, spinner: RenderableType) -> RenderableType:
    from rich.text import Text

    return spinner if environment.state is ProgressState.ACTIVE else Text(*STATE_SYMBOLS[environment.state])


def _cells(environment: EnvironmentProgress, now: float) -> list[Text]:
    from rich.text import Text

    elapsed = environment.elapsed(now)
    is_late = (
        elapsed is not None
        and environment.typical_duration is not None
        and elapsed > environment.typical_duration * LATE_FACTOR
    )
    return [
        Text(environment.name),
        Text(
            environment.step
            if environment.state in {ProgressState.ACTIVE, ProgressState.FAILED}
            else str(environment.state),
            STATE_STYLES[environment.state],
        ),
        Text("" if elapsed is None else duration.format_duration(elapsed), "yellow" if is_late else ""),
        Text(
            "" if environment.typical_duration is None else duration.format_duration(environment.typical_duration),
            "dim",
        ),
    ]


def _text(environment: EnvironmentProgress) -> Text:
    from rich.text import Text

    style = "" if environment.state is ProgressState.FAILED else "dim"
    return Text(" ".join(environment.text.split()), style, no_wrap=True, overflow="ellipsis")


def _summary(environments: Sequence[EnvironmentProgress], visible_count: int, seconds: float) -> Text:
    """Count everything, whether it is shown or not."""
    from rich.text import Text

    count_texts = [
        Text(f"{number} {state}", STATE_STYLES[state]) for state, number in count_states(environments).items() if number
    ]
    hidden = f", {len(environments) - visible_count} not shown" if visible_count < len(environments) else ""
    counts_text = Text(", ").join(count_texts)
    text = Text.assemble(
        f"{len(environments)} environment{'' if len(environments) == 1 else 's'}: ",
        counts_text,
        f"; {duration.format_duration(seconds)}{hidden}",
    )
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
