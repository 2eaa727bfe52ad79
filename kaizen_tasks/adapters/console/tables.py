"""Prints status, history and runtime configuration as tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.domain import duration, runtime_config
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry, RollbackCandidate
from kaizen_tasks.domain.printable import printable
from kaizen_tasks.domain.runtime_config import RuntimeConfigView, RuntimeRules
from kaizen_tasks.domain.status import EnvironmentStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_WIDTH = 100  # columns when the output is not a terminal


def print_status(rows: Sequence[EnvironmentStatus]) -> None:
    """Print a table with one line per environment, then every drift, lock and hold in words."""
    table, *lines = render_status(rows)
    _print_all(table)
    _print_all(*lines, soft_wrap=True)  # so that only this program begins lines: CI systems take some for commands


def render_status(rows: Sequence[EnvironmentStatus]) -> tuple[RenderableType, ...]:
    """Return a table with one line per environment, followed by lines that describe every drift, lock and hold."""
    has_locks_or_holds = any(row.lock or row.hold for row in rows)
    has_lines = any(row.line for row in rows)
    columns = ("environment", "image", "digest", "running", "ledger", "when (UTC)")
    table = _table(*columns, *(("line",) if has_lines else ()), *(("lock",) if has_locks_or_holds else ()))
    for row in rows:
        mark = Text("✓ ", "green") if not row.drift else Text("! ", "yellow")
        table.add_row(
            mark + Text(row.environment.name, "bold"),
            (row.followed_image.version or "?") if row.followed_image else "none",
            row.followed_image.digest.removeprefix("sha256:")[:12] if row.followed_image else "",
            Text(row.version_report.version, "green") if row.version_report.version else Text("no answer", "red"),
            f"{row.last_entry.version} {row.last_entry.event_name}" if row.last_entry else "nothing",
            f"{row.last_entry.at:%m-%d %H:%M}" if row.last_entry else "",
            *((row.line,) if has_lines else ()),
            *((_lock_state(row),) if has_locks_or_holds else ()),
        )
    drift_lines = [printable(f"! {', '.join(names)}: {drift}") for drift, names in _environments_by_drift(rows).items()]
    remark_lines = [printable(f"  {row.environment.name}: {remark}") for row in rows for remark in row.notes]
    return (table, *(Text(drift, "yellow") for drift in drift_lines), *remark_lines)


def _environments_by_drift(rows: Sequence[EnvironmentStatus]) -> dict[str, list[str]]:
    """Return the names of the environments with a drift, by drift, so that each drift is printed once."""
    environments_by_drift: dict[str, list[str]] = {}
    for row in rows:
        for drift in row.drift:
            environments_by_drift.setdefault(drift, []).append(row.environment.name)
    return environments_by_drift


def _lock_state(row: EnvironmentStatus) -> str:
    return ", ".join(word for word, holder in (("locked", row.lock), ("held", row.hold)) if holder)


def print_history(entries: Sequence[LedgerEntry]) -> None:
    """Print ledger entries, newest first, then the addresses of the CI runs that wrote them."""
    table = _table("when (UTC)", "environment", "release", "event", "by", "reason")
    for entry in entries:
        when = "?" if entry.at == UNKNOWN_TIME else f"{entry.at:%Y-%m-%d %H:%M}"
        event = f"{entry.event_name} (of a later version)" if entry.event is Event.UNKNOWN else entry.event_name
        table.add_row(when, entry.environment, entry.version, event, entry.actor, entry.reason)
    _print_all(table)
    with_run = [entry for entry in entries if entry.run_url]
    runs = dict.fromkeys(printable(f"{entry.version} in {entry.environment}: {entry.run_url}") for entry in with_run)
    _print_all(*runs, soft_wrap=True)


def print_candidates(candidates: Sequence[RollbackCandidate]) -> None:
    """Print the releases that a rollback can choose, newest first."""
    table = _table("environment", "release", "verified (UTC)", "by", "image")
    for candidate in candidates:
        entry = candidate.entry
        when = f"{entry.at:%Y-%m-%d %H:%M}"
        elsewhere = f"in {candidate.image_environment}" if candidate.image_environment else "deleted"
        image = "exists" if candidate.image_exists else elsewhere
        table.add_row(entry.environment, entry.version, when, entry.actor, image)
    _print_all(table)


def print_runtime(views: Sequence[RuntimeConfigView], rules: RuntimeRules, now: datetime) -> None:
    """Print the runtime configurations of environments; secret values are redacted."""
    table = _table("environment", "key", "value", "written")
    for view in views:
        written_ago = f"{duration.format_duration((now - view.written_at).total_seconds())} ago"
        for name in view.document.names:
            age = written_ago if view.is_new(name) else f"before {written_ago}"
            table.add_row(view.environment.name, name, rules.display_value(name, view.document.value(name)), age)
    _print_all(table)


def print_runtime_difference(first: RuntimeConfigView, second: RuntimeConfigView, rules: RuntimeRules) -> None:
    """Print the runtime configuration of two environments, side by side."""
    table = _table("key", first.environment.name, second.environment.name, "")
    for name, is_same in runtime_config.compare_documents(first.document, second.document, rules).items():
        hints = (rules.display_value(name, view.document.value(name)) for view in (first, second))
        table.add_row(name, *hints, Text("same", "green") if is_same else Text("differs", "yellow"))
    _print_all(table)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_all(*renderables: RenderableType, soft_wrap: bool = False) -> None:
    """Print with colour if stdout is a terminal, else without escape codes."""
    console = SafeConsole(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for renderable in renderables:
        console.print(renderable, soft_wrap=soft_wrap)
