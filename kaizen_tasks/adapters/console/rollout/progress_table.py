"""Draws the rollout table of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.rollout import progress
from kaizen_tasks.adapters.console.rollout.progress import EnvironmentProgress, ProgressState, RolloutProgress
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted

STATE_SYMBOLS = {
    ProgressState.FAILED: "✗",
    ProgressState.INTERRUPTED: "!",
    ProgressState.WAITING: "·",
    ProgressState.DONE: "✓",
}
STATE_STYLES = {
    ProgressState.FAILED: "red",
    ProgressState.INTERRUPTED: "yellow",
    ProgressState.ACTIVE: "cyan",
    ProgressState.WAITING: "dim",
    ProgressState.DONE: "green",
}
RESERVED_LINES = 4  # lines of the terminal that are not rows: the heading, the summary, and two of the output above
WRAPPING_WIDTH = 60  # columns of a terminal from which the final table wraps its text instead of cutting it
LATE_FACTOR = 1.5  # multiple of the typical duration beyond which the elapsed time is highlighted


class ProgressTable:
    """The table of a rollout, rendered on each refresh to fit the current terminal size.

    Args:
        rollout: progress of the rollout.
        console: console whose size limits the table.
        spinner: symbol before environments that are running.
        is_large: whether the table has no rows of environments that wait or succeeded, which are counted below it.
    """

    def __init__(
        self, rollout: RolloutProgress, console: Console, spinner: RenderableType, *, is_large: bool = False
    ) -> None:
        self._is_large = is_large
        self._rollout = rollout
        self._console = console
        self._spinner = spinner

    def __rich__(self) -> RenderableType:
        """Return the table with the rows that fit the terminal."""
        candidates = self._candidates
        rows = progress.environments_that_fit(candidates, self._console.size.height - RESERVED_LINES)
        return self._render(rows, self._spinner, hidden_count=len(candidates) - len(rows))

    @property
    def full_table(self) -> RenderableType:
        """The table for the end, with every row; an environment that is still running is marked as interrupted."""
        is_cut = self._is_large or self._console.width < WRAPPING_WIDTH  # large ones have lines with the whole texts
        return self._render(self._candidates, Text("!", "yellow"), is_cut=is_cut)

    @property
    def _candidates(self) -> tuple[EnvironmentProgress, ...]:
        environments = self._rollout.environments
        return progress.without_ends(environments) if self._is_large else environments

    def _render(
        self,
        rows: Sequence[EnvironmentProgress],
        spinner: RenderableType,
        *,
        is_cut: bool = True,
        hidden_count: int = 0,
    ) -> RenderableType:
        environments, now = self._rollout.environments, self._rollout.monotonic()
        columns = ["environment", "step", "elapsed", "usual"]
        if all(environment.typical_duration is None for environment in environments):
            columns.pop()
        table = _table(columns)
        for environment in rows:
            cells = _cells(environment, now)[: len(columns)]
            table.add_row(_symbol(environment, spinner), *cells, _text(environment, is_cut=is_cut))
        summary = _summary(environments, hidden_count, now - self._rollout.started_at)
        return Group(table, summary) if rows else summary


def _table(names: Sequence[str]) -> Table:
    """Return an empty table, whose last column, the text, is cut first on a narrow terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(width=1)
    for name in names:
        table.add_column(name, no_wrap=True, justify="right" if name in {"elapsed", "usual"} else "left")
    table.add_column()
    return table


def _symbol(environment: EnvironmentProgress, spinner: RenderableType) -> RenderableType:
    state = environment.state
    return spinner if state is ProgressState.ACTIVE else Text(STATE_SYMBOLS[state], STATE_STYLES[state])


def _cells(environment: EnvironmentProgress, now: float) -> list[Text]:
    elapsed, typical = environment.elapsed(now), environment.typical_duration
    is_late = elapsed is not None and typical is not None and elapsed > typical * LATE_FACTOR
    has_step = environment.state not in {ProgressState.WAITING, ProgressState.DONE}
    return [
        Text(environment.name),
        Text(environment.step if has_step else str(environment.state), STATE_STYLES[environment.state]),
        Text("" if elapsed is None else duration.format_duration(elapsed), "yellow" if is_late else ""),
        Text("" if typical is None else duration.format_duration(typical), "dim"),
    ]


def _text(environment: EnvironmentProgress, *, is_cut: bool) -> Text:
    style = "" if environment.state is ProgressState.FAILED else "dim"
    return Text(" ".join(environment.text.split()), style, no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold")


def _summary(environments: Sequence[EnvironmentProgress], hidden_count: int, seconds: float) -> Text:
    """Return a line with the number of environments in each state, those not shown included, and the time."""
    counts = progress.count_states(environments).items()
    texts = (Text(f"{number} {state}", STATE_STYLES[state]) for state, number in counts if number)
    total = f"{counted(len(environments), 'environment')}: "
    hidden = f", {hidden_count} not shown" if hidden_count else ""
    text = Text.assemble(total, Text(", ").join(texts), f"; {duration.format_duration(seconds)}{hidden}")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
