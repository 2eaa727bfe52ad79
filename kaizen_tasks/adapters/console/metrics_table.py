"""Prints DORA's four metrics as a table that fits 60 columns, and says what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from kaizen_tasks.adapters.console import tables
from kaizen_tasks.adapters.console.layout.fitting_table import FittingTable
from kaizen_tasks.domain.metrics.summary import Durations, Metrics
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.domain.text.printable import printable

UNKNOWN = "?"
NONE = "-"
LEGEND = "lead time and restored: the median, and of how many commits and incidents"


def print_metrics(app: str, since: datetime, until: datetime, metrics: Sequence[Metrics], gaps: Iterable[str]) -> None:
    """Print a line for each stage and tenant, then what goes on, what was not counted, and what is missing.

    Args:
        app: the app's name.
        since: when the span begins.
        until: when it ends.
        metrics: those of stages, groups and environments; a member of a group follows it, indented.
        gaps: what is missing, and how to get it.
    """
    span = duration.format_duration((until - since).total_seconds())
    tables.print_all(
        Text(printable(f"{app}: {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, {span}"), "bold"), ""
    )
    table = FittingTable("stage", "deployed", "a week", "lead time", "failed", "restored")
    for each in metrics:
        table.add_row(Text(f"{'  ' if each.group else ''}{printable(each.name)}", "bold"), *_cells(each))
    tables.print_all(table, "", Text(LEGEND, "dim"), *map(printable, _remarks(metrics, since)))
    tables.print_all(*(Text(printable(f"! {gap}"), "yellow") for gap in gaps))


def _cells(metrics: Metrics) -> tuple[str, ...]:
    if metrics.begin is None:
        return (UNKNOWN,) * 5
    per_week, is_known = metrics.deployments_per_week, metrics.lead_time_releases or not metrics.deployments
    return (
        str(metrics.deployments),
        NONE if per_week is None else f"{per_week:.1f}",
        _duration(metrics.lead_time) if is_known else UNKNOWN,
        f"{metrics.failed} of {metrics.changes}" if metrics.changes else NONE,
        _duration(metrics.restore),
    )


def _duration(durations: Durations) -> str:
    if durations.median_seconds is None:
        return NONE
    return f"{duration.format_duration(durations.median_seconds)} ({durations.count})"


def _remarks(metrics: Sequence[Metrics], since: datetime) -> Iterator[str]:
    """Yield what the table does not say: incidents that go on, and what was not counted; of members their groups'."""
    yield from dict.fromkeys(
        f"! {incident.environment}: {incident.version} failed, and no release was verified since "
        f"({duration.format_duration(incident.seconds(each.end))})"
        for each in metrics
        for incident in each.open_incidents
    )
    yield from _listed("", {each.name: "nothing was ever recorded" for each in metrics if each.begin is None})
    stages = [each for each in metrics if not each.group]
    begins = {each.name: each.begin for each in stages if each.begin and each.begin > since}
    yield from _listed("recorded since", {name: f"{begin:%Y-%m-%d %H:%M}" for name, begin in begins.items()})
    partial = [each for each in stages if each.deployments and each.lead_time_releases < each.deployments]
    counts = {
        each.name: f"{each.lead_time_releases} of {counted(each.deployments or 0, 'release')}" for each in partial
    }
    yield from _listed("lead times of", counts)
    unfinished = {each.name: counted(each.unfinished, "deployment") for each in stages if each.unfinished}
    yield from _listed("no outcome of", unfinished)


def _listed(title: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield one line with a text for each stage; stages that share one are named together."""
    names_by_text: dict[str, list[str]] = {}
    for name, text in texts.items():
        names_by_text.setdefault(text, []).append(name)
    items = (f"{text} ({', '.join(names)})" for text, names in names_by_text.items())
    if texts:
        yield f"{title} {'; '.join(items)}".strip()
