"""Prints status, history and runtime configuration as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from rich.box import Box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.adapters.console.wrapped_text import hanging_lines, wrap_words
from kaizen_tasks.domain import runtime_config
from kaizen_tasks.domain.deployments import Deployment
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, RollbackCandidate
from kaizen_tasks.domain.migration.mapping import MappedSetting, describe_setting
from kaizen_tasks.domain.release import short_digest
from kaizen_tasks.domain.runtime_config import RuntimeConfigView, RuntimeRules
from kaizen_tasks.domain.status import EnvironmentState, EnvironmentStatus
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

PLAIN_WIDTH = 100  # columns when the output is not a terminal
STATE_MARKS = {
    EnvironmentState.IN_SYNC: ("✓", "green"),
    EnvironmentState.DRIFT: ("!", "yellow"),
    EnvironmentState.DEPLOYING: ("»", "cyan"),
    EnvironmentState.NEW: ("·", "dim"),
}
HEAD_RULE = Box("    \n    \n ── \n" + "    \n" * 5, ascii=True)
"""A line below the heading and no others; `SafeConsole` draws it in ASCII where the encoding needs that."""

FOLDED_COLUMNS = ("key", "value")
"""Whose cells may be of any length."""

OPTIONAL_COLUMNS = ("a week", "digest", "commit", "took", "changed", "image")
"""What is left out of a table that is wider than the terminal, in this order."""

LOCK_MARK, HOLD_MARK = "L", "H"
LEGEND = {"»": "deploying", "·": "nothing released yet", LOCK_MARK: "locked", HOLD_MARK: "held"}
"""What the marks mean that do not explain themselves."""


def print_status(rows: Sequence[EnvironmentStatus], now: datetime) -> None:
    """Print a table with one line per environment, then every drift, lock and hold in words."""
    table, *lines = render_status(rows, now)
    print_all(table)
    print_all(*lines)  # only this program begins lines: CI systems take some for commands


def render_status(rows: Sequence[EnvironmentStatus], now: datetime) -> tuple[RenderableType, ...]:
    """Return a table with one line per environment, then the marks in it and every drift, lock and hold in words."""
    has_lines = any(row.line for row in rows)
    columns = ("", "environment", "image", "digest", "running", "ledger", "changed", *(("line",) if has_lines else ()))
    table = new_table(*columns)
    for row in rows:
        table.add_row(
            _marks(row),
            Text(row.environment.name, "bold"),
            (row.followed_image.version or "?") if row.followed_image else "none",
            short_digest(row.followed_image.digest) if row.followed_image else "",
            Text(row.version_report.version, "green") if row.version_report.version else Text("no answer", "red"),
            _ledger_text(row),
            duration.format_age((now - row.last_entry.at).total_seconds()) if row.last_entry else "",
            *((row.line,) if has_lines else ()),
        )
    drift_lines = [printable(f"! {', '.join(names)}: {drift}") for drift, names in _environments_by_drift(rows).items()]
    remark_lines = [printable(f"  {row.environment.name}: {remark}") for row in rows for remark in row.notes]
    legend = (Text(legend_text(rows), "dim"),) if legend_text(rows) else ()
    texts = (*legend, *(Text(drift, "yellow") for drift in drift_lines), *remark_lines)
    return (table, "", *texts) if texts else (table,)


def _marks(row: EnvironmentStatus) -> Text:
    blockers = (LOCK_MARK if row.lock else "") + (HOLD_MARK if row.hold else "")
    return Text.assemble(STATE_MARKS[row.state], blockers)


def _ledger_text(row: EnvironmentStatus) -> str:
    """Return the last event of the ledger, with its release if that is not the image's."""
    if row.last_entry is None:
        return "nothing"
    image_version = row.followed_image.version if row.followed_image else ""
    release = "" if row.last_entry.version == image_version else f"{row.last_entry.version} "
    return f"{release}{row.last_entry.event_name}"


def legend_text(rows: Sequence[EnvironmentStatus]) -> str:
    """Return what the marks of these rows mean, as far as they do not explain themselves; may be empty."""
    marks = {character for row in rows for character in str(_marks(row))}
    return ", ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items() if mark in marks)


def _environments_by_drift(rows: Sequence[EnvironmentStatus]) -> dict[str, list[str]]:
    """Return the names of the environments with a drift, by drift, so that each drift is printed once."""
    environments_by_drift: dict[str, list[str]] = {}
    for row in rows:
        for drift in row.drift:
            environments_by_drift.setdefault(drift, []).append(row.environment.name)
    return environments_by_drift


def drift_texts(rows: Sequence[EnvironmentStatus]) -> Iterator[str]:
    """Yield every drift with the environments that have it."""
    yield from (f"{', '.join(names)}: {drift}" for drift, names in _environments_by_drift(rows).items())


def print_history(deployments: Sequence[Deployment]) -> None:
    """Print a row for each deployment, newest first, with its reason below it, then the addresses of their CI runs."""
    if not deployments:
        print_all("nothing was released yet")
        return
    table = new_table("when (UTC)", "environment", "release", "commit", "outcome", "took", "by")
    reasons: dict[int, str] = {}
    for deployment in deployments:
        entry = deployment.first
        outcome = deployment.last
        table.add_row(
            "?" if entry.at == UNKNOWN_TIME else f"{entry.at:%Y-%m-%d %H:%M}",
            entry.environment,
            entry.version,
            short_digest(entry.commit),
            f"{outcome.event_name} (of a later version)" if outcome.event is Event.UNKNOWN else outcome.event_name,
            "" if deployment.seconds is None else duration.format_duration(deployment.seconds),
            entry.actor,
        )
        if deployment.reason:
            reasons[table.row_count - 1] = printable(deployment.reason)
    _print_table(table, reasons)
    with_run = [deployment.first for deployment in deployments if deployment.first.run_url]
    runs = dict.fromkeys(printable(f"{entry.version} in {entry.environment}: {entry.run_url}") for entry in with_run)
    print_all(*runs)


def print_candidates(candidates: Sequence[RollbackCandidate]) -> None:
    """Print the releases that a rollback can choose, newest first."""
    if not candidates:
        print_all("nothing to roll back to: no release was verified there before the one that is serving")
        return
    table = new_table("environment", "release", "verified (UTC)", "by", "image")
    remarks: dict[int, str] = {}
    for candidate in candidates:
        entry = candidate.entry
        when = f"{entry.at:%Y-%m-%d %H:%M}"
        elsewhere = f"in {candidate.image_environment}" if candidate.image_environment else "deleted"
        image = "exists" if candidate.image_exists else elsewhere
        table.add_row(entry.environment, entry.version, when, entry.actor, image)
        if candidate.obstacle is not None:
            command = printable(f"{candidate.obstacle.command} of {candidate.obstacle.version}")
            remarks[table.row_count - 1] = f"is behind {command}, which is irreversible"
    _print_table(table, remarks)


def print_runtime(views: Sequence[RuntimeConfigView], rules: RuntimeRules, now: datetime) -> None:
    """Print the runtime configurations of environments; secret values are redacted."""
    table = new_table("environment", "key", "value", "written")
    for view in views:
        written_ago = f"{duration.format_duration((now - view.written_at).total_seconds())} ago"
        for name in view.document.names:
            age = written_ago if view.is_new(name) else f"before {written_ago}"
            table.add_row(view.environment.name, name, rules.display_value(name, view.document.value(name)), age)
    print_all(table)


def print_runtime_difference(first: RuntimeConfigView, second: RuntimeConfigView, rules: RuntimeRules) -> None:
    """Print the runtime configuration of two environments, side by side."""
    table = new_table("key", first.environment.name, second.environment.name, "")
    for name, is_same in runtime_config.compare_documents(first.document, second.document, rules).items():
        hints = (rules.display_value(name, view.document.value(name)) for view in (first, second))
        table.add_row(name, *hints, Text("same", "green") if is_same else Text("differs", "yellow"))
    print_all(table)


class _FittingTable(Table):
    """A table that leaves out optional columns on a narrow terminal; what is then too wide, the terminal wraps."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments of the table; its cells are folded only where they may be of any length."""
        table, unlimited = copy(self), options.update(max_width=sys.maxsize)
        if not any(column.header in FOLDED_COLUMNS for column in self.columns):
            optional = [column for name in OPTIONAL_COLUMNS for column in self.columns if column.header == name]
            while (needed := Measurement.get(console, unlimited, table).maximum) > options.max_width and optional:
                dropped = optional.pop(0)
                rest = [column for column in table.columns if column.header != dropped.header]
                table.columns = [replace(column, _index=index) for index, column in enumerate(rest)]
            options = options.update(max_width=max(needed, options.max_width))
        yield from Table.__rich_console__(table, console, options)


def new_table(*columns: str) -> Table:
    """Return an empty table, of which only cells that may be of any length are folded."""
    has_folded = any(column in FOLDED_COLUMNS for column in columns)
    table = _FittingTable(box=HEAD_RULE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not has_folded or column in {"", "environment", "written"})
    return table


def _print_table(table: Table, remarks: Mapping[int, str] | None = None) -> None:
    """Print a table, without blanks at the ends of its lines, and with a text below some of its rows.

    Args:
        table: where there are remarks, its cells have one line each.
        remarks: texts by the position of the row.
    """
    console = _console()
    options = console.options.update(no_wrap=True, overflow="ignore")
    for number, segments in enumerate(console.render_lines(table, options, pad=False)):
        line = Text.assemble(*((text, style or "") for text, style, _ in segments))
        line.rstrip()
        console.print(line, soft_wrap=True)
        if remark := (remarks or {}).get(number - len(("head", "rule"))):
            print_all(f"    {remark}")


def print_labelled(rows: Iterable[tuple[str, str]]) -> None:
    """Print a text beside each label; what does not fit a line continues below the text."""
    console, rows = _console(), [(printable(label), printable(text)) for label, text in rows]
    width = max((cell_len(label) for label, _ in rows), default=0)
    for label, text in rows:
        head = f"{label}{'':<{width - cell_len(label)}}  "
        lines = hanging_lines(head, text, console.width) if sys.stdout.isatty() else [head + text]
        console.print(Text("\n".join(lines)), soft_wrap=True)


def print_migrations(migrations: Iterable[tuple[str, Sequence[MappedSetting]]]) -> None:
    """Print what becomes of each setting of services that move; of all but the first, only what is different.

    Args:
        migrations: a heading, and the settings, for each service.
    """
    first: Sequence[MappedSetting] = ()
    for title, settings in migrations:
        rows = [(f"  {each.name}", describe_setting(each)) for each in settings if each not in first]
        print_all(Text(f"{title}, where it differs" if first else title, "bold"))
        print_labelled(rows)
        print_all("")
        first = first or settings


def _console() -> SafeConsole:
    return SafeConsole(width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def print_all(*renderables: RenderableType) -> None:
    """Print tables and lines, with colour on a terminal, where lines are wrapped between words, else as they are."""
    console = _console()
    for renderable in renderables:
        if isinstance(renderable, Table):
            _print_table(renderable)
            continue
        lines = wrap_words(str(renderable), console.width) if sys.stdout.isatty() else [str(renderable)]
        style = renderable.style if isinstance(renderable, Text) else ""
        console.print(Text("\n".join(lines), style), soft_wrap=True)
