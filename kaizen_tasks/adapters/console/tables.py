"""Status and history for people, as tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from kaizen_tasks.domain.ledger import Candidate, Entry
    from kaizen_tasks.domain.runtime_config import RuntimeRules, Seen
    from kaizen_tasks.domain.status import Row

PLAIN_WIDTH = 100
"""Columns where there is no terminal to ask."""


def print_status(rows: Sequence[Row]) -> None:
    """Print the matrix: one line an environment, then every drift in words."""
    _print(*status(rows))


def status(rows: Sequence[Row]) -> tuple[RenderableType, ...]:
    """Return the matrix, one line an environment, and below it in words every drift, lock and hold."""
    from rich.text import Text

    kept = any(row.lock or row.hold for row in rows)
    table = _table("environment", "image", "digest", "running", "ledger", "when (UTC)", *(("kept",) if kept else ()))
    for row in rows:
        mark = Text("✓ ", "green") if not row.drift else Text("! ", "yellow")
        table.add_row(
            mark + Text(row.environment.name, "bold"),
            (row.latest.version or "?") if row.latest else "none",
            row.latest.digest.removeprefix("sha256:")[:12] if row.latest else "",
            Text(row.running.version, "green") if row.running.version else Text("no answer", "red"),
            f"{row.entry.version} {row.entry.event}" if row.entry else "nothing",
            f"{row.entry.at:%m-%d %H:%M}" if row.entry else "",
            *((_kept(row),) if kept else ()),
        )
    drifts = [f"! {', '.join(names)}: {drift}" for drift, names in _drifts(rows).items()]
    remarks = [f"  {row.environment.name}: {remark}" for row in rows for remark in row.remarks]
    return (table, *(Text(drift, "yellow") for drift in drifts), *remarks)


def _drifts(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return every drift with the environments that have it: what is so everywhere is said once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for drift in row.drift:
            found.setdefault(drift, []).append(row.environment.name)
    return found


def _kept(row: Row) -> str:
    return ", ".join(word for word, what in (("locked", row.lock), ("held", row.hold)) if what)


def print_history(entries: Sequence[Entry]) -> None:
    """Print ledger entries, newest first."""
    table = _table("when (UTC)", "environment", "release", "event", "by", "reason")
    for entry in entries:
        when = f"{entry.at:%Y-%m-%d %H:%M}"
        table.add_row(when, entry.environment, entry.version, str(entry.event), entry.actor, entry.reason)
    _print(table)


def print_candidates(candidates: Sequence[Candidate]) -> None:
    """Print releases that can be gone back to, the latest first."""
    table = _table("environment", "release", "verified (UTC)", "by", "image")
    for each in candidates:
        entry = each.entry
        when = f"{entry.at:%Y-%m-%d %H:%M}"
        table.add_row(entry.environment, entry.version, when, entry.actor, "there" if each.exists else "gone")
    _print(table)


def print_runtime(found: Sequence[Seen], rules: RuntimeRules, now: datetime) -> None:
    """Print what is configured, as far as people may see it."""
    from kaizen_tasks.domain import duration

    table = _table("environment", "key", "value", "written")
    for seen in found:
        ago = f"{duration.show((now - seen.written).total_seconds())} ago"
        for name in seen.configuration.names:
            age = ago if seen.is_new(name) else f"before {ago}"
            table.add_row(seen.environment.name, name, rules.hint(name, seen.configuration.value(name)), age)
    _print(table)


def print_runtime_difference(one: Seen, other: Seen, rules: RuntimeRules) -> None:
    """Print what is configured in two environments, side by side."""
    from rich.text import Text

    from kaizen_tasks.domain import runtime_config

    table = _table("key", one.environment.name, other.environment.name, "")
    for name, same in runtime_config.comparison(one.configuration, other.configuration, rules).items():
        shown = (rules.hint(name, each.configuration.value(name)) for each in (one, other))
        table.add_row(name, *shown, Text("same", "green") if same else Text("differs", "yellow"))
    _print(table)


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(*what: RenderableType) -> None:
    """Print with colour on a terminal, without escape codes elsewhere; brackets and colons in data mean nothing."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    console = Console(highlight=False, markup=False, emoji=False, width=width)
    for each in what:
        console.print(each)
