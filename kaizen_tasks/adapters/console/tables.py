"""Prints status, history and runtime configuration as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from kaizen_tasks.adapters.console.layout.fitting_table import PLAIN_WIDTH, FittingTable
from kaizen_tasks.adapters.console.layout.wrapped_text import hanging_lines, wrap_words
from kaizen_tasks.adapters.console.safe_console import has_width, report_console
from kaizen_tasks.domain import runtime_config
from kaizen_tasks.domain.deployments import Deployment
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, RollbackCandidate
from kaizen_tasks.domain.release import short_digest
from kaizen_tasks.domain.release_record import ReleaseRecord
from kaizen_tasks.domain.runtime_config import RuntimeConfigView, RuntimeRules
from kaizen_tasks.domain.status import EnvironmentState, EnvironmentStatus, StatusView
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.domain.text.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kaizen_tasks.domain.migration.mapping import MappedSetting

STATE_MARKS = {
    EnvironmentState.IN_SYNC: ("✓", "green"),
    EnvironmentState.DRIFT: ("!", "yellow"),
    EnvironmentState.DEPLOYING: ("»", "cyan"),
    EnvironmentState.NEW: ("·", "dim"),
}
LOCK_MARK, HOLD_MARK = "L", "H"
LEGEND = {"»": "deploying", "·": "nothing released yet", LOCK_MARK: "locked", HOLD_MARK: "held"}
"""What the marks mean that do not explain themselves."""


def print_status(view: StatusView, now: datetime) -> None:
    """Print a table with one line per environment, then every drift, lock and hold in words."""
    print_all(*render_status(view.rows, now), *filter(None, [view.hidden_text]))


def render_status(rows: Sequence[EnvironmentStatus], now: datetime) -> tuple[RenderableType, ...]:
    """Return a table with one line per environment, then the marks in it and every drift, lock and hold in words."""
    if not rows:
        return ()
    has_lines = any(row.line for row in rows)
    columns = ("", "environment", "image", "digest", "running", "ledger", "changed", *(("line",) if has_lines else ()))
    table = FittingTable(*columns)
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


def print_history(deployments: Sequence[Deployment], *, empty: str = "nothing was released yet") -> None:
    """Print a row for each deployment, newest first, with its reason below it, then the addresses of their CI runs.

    Args:
        deployments: the deployments.
        empty: what to print if there are none.
    """
    if not deployments:
        print_all(empty)
        return
    table = FittingTable("when (UTC)", "environment", "release", "commit", "outcome", "took", "by")
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
            table.remarks[table.row_count - 1] = deployment.reason
    _print_table(table)
    with_run = [deployment.first for deployment in deployments if deployment.first.run_url]
    runs = dict.fromkeys(printable(f"{entry.version} in {entry.environment}: {entry.run_url}") for entry in with_run)
    print_all(*runs)


def print_release(
    name: str, records: Mapping[str, ReleaseRecord], rows: Sequence[EnvironmentStatus], others_count: int
) -> None:
    """Print what became of a release in each environment where its deployment was begun, and what runs there now.

    Args:
        name: the release: `v1.2.3`.
        records: what became of it, by environment.
        rows: the status of these environments.
        others_count: in how many other environments that never was.
    """
    table = FittingTable("", "environment", "outcome", "when (UTC)", "actor", "running")
    for row in rows:
        record, running = records[row.environment.name], row.version_report.version
        last = record.deployment.last
        table.add_row(
            _release_mark(record, is_running=running == name),
            Text(row.environment.name, "bold"),
            record.outcome,
            "?" if last.at == UNKNOWN_TIME else f"{last.at:%Y-%m-%d %H:%M}",
            last.actor,
            Text(running, "green" if running == name else "") if running else Text("no answer", "red"),
        )
        if record.reason:
            table.remarks[table.row_count - 1] = record.reason
    _print_table(table)
    count = sum(row.version_report.version == name for row in rows)
    others = f"; {counted(others_count, 'other')} never had one" if others_count else ""
    begun = f"{counted(len(rows), 'environment')} where its deployment began"
    print_all("", f"{name} runs in {count} of {begun}{others}")


def _release_mark(record: ReleaseRecord, *, is_running: bool) -> Text:
    if is_running:
        return Text("✓", "green")
    return Text("✗", "red") if record.withdrawal is not None else Text("·", "dim")


def print_candidates(candidates: Sequence[RollbackCandidate]) -> None:
    """Print the releases that a rollback can choose, newest first."""
    if not candidates:
        print_all("nothing to roll back to: no release was verified there before the one that is serving")
        return
    table = FittingTable("environment", "release", "verified (UTC)", "by", "image")
    for candidate in candidates:
        entry = candidate.entry
        when = f"{entry.at:%Y-%m-%d %H:%M}"
        elsewhere = f"in {candidate.image_environment}" if candidate.image_environment else "deleted"
        image = "exists" if candidate.image_exists else elsewhere
        table.add_row(entry.environment, entry.version, when, entry.actor, image)
        if candidate.obstacle is not None:
            command = printable(f"{candidate.obstacle.command} of {candidate.obstacle.version}")
            table.remarks[table.row_count - 1] = f"is behind {command}, which is irreversible"
    _print_table(table)


def print_runtime(views: Sequence[RuntimeConfigView], rules: RuntimeRules, now: datetime) -> None:
    """Print the runtime configurations of environments; secret values are redacted."""
    table = FittingTable("environment", "key", "value", "written")
    for view in views:
        written_ago = f"{duration.format_duration((now - view.written_at).total_seconds())} ago"
        for name in view.document.names:
            age = written_ago if view.is_new(name) else f"before {written_ago}"
            table.add_row(view.environment.name, name, rules.display_value(name, view.document.value(name)), age)
    print_all(table)


def print_runtime_difference(first: RuntimeConfigView, second: RuntimeConfigView, rules: RuntimeRules) -> None:
    """Print the runtime configuration of two environments, side by side."""
    table = FittingTable("key", first.environment.name, second.environment.name, "")
    for name, is_same in runtime_config.compare_documents(first.document, second.document, rules).items():
        hints = (rules.display_value(name, view.document.value(name)) for view in (first, second))
        table.add_row(name, *hints, Text("same", "green") if is_same else Text("differs", "yellow"))
    print_all(table)


def _print_table(table: FittingTable) -> None:
    console = report_console(PLAIN_WIDTH)
    for line in table.lines(console):
        console.print(line, soft_wrap=True)


def print_labelled(rows: Iterable[tuple[str, str]]) -> None:
    """Print a text beside each label; what does not fit a line continues below the text."""
    console, rows = report_console(PLAIN_WIDTH), [(printable(label), printable(text)) for label, text in rows]
    width = max((cell_len(label) for label, _ in rows), default=0)
    for label, text in rows:
        head = f"{label}{'':<{width - cell_len(label)}}  "
        lines = hanging_lines(head, text, console.width) if has_width() else [head + text]
        console.print(Text("\n".join(lines)), soft_wrap=True)


def print_migrations(migrations: Iterable[tuple[str, Sequence[MappedSetting]]]) -> None:
    """Print what becomes of each setting of services that move; of all but the first, only what is different.

    Args:
        migrations: a heading, and the settings, for each service.
    """
    from kaizen_tasks.domain.migration.mapping import describe_setting

    first: Sequence[MappedSetting] = ()
    for title, settings in migrations:
        rows = [(f"  {each.name}", describe_setting(each)) for each in settings if each not in first]
        print_all(Text(f"{title}, where it differs" if first else title, "bold"))
        print_labelled(rows)
        print_all("")
        first = first or settings


def print_all(*renderables: RenderableType) -> None:
    """Print tables and lines, with colour on a terminal; lines are wrapped there, and where `COLUMNS` is set."""
    console = report_console(PLAIN_WIDTH)
    for renderable in renderables:
        if isinstance(renderable, FittingTable):
            _print_table(renderable)
            continue
        lines = wrap_words(str(renderable), console.width) if has_width() else [str(renderable)]
        style = renderable.style if isinstance(renderable, Text) else ""
        console.print(Text("\n".join(lines), style), soft_wrap=True)
