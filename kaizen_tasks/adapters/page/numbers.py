"""The metrics as texts, and as small charts of the releases of each week."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from kaizen_tasks.domain.metrics.series import Week, by_week
from kaizen_tasks.domain.metrics.summary import Durations, Metrics
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.domain.text.listing import counted

HEIGHT: Final = 32
"""Pixels that the busiest week of a chart is high."""

MIN_WEEKS: Final = 13
"""How many weeks a chart has room for at least; there are fewer bars in a young history."""

UNKNOWN: Final = "unknown"


@frozen(kw_only=True)
class WeekView:
    """A week of a chart: two bars, one on top of the other.

    Attributes:
        x: where it begins, in percent.
        width: its width, in percent.
        worked: how high the bar of the releases is that worked, in pixels.
        failed: how high the bar of those is that failed.
    """

    x: str
    width: str
    worked: str
    failed: str

    @property
    def top(self) -> str:
        """Where the lower bar begins, in pixels from the top."""
        return f"{HEIGHT - float(self.worked):.3g}"

    @property
    def failed_top(self) -> str:
        """Where the upper bar begins."""
        return f"{HEIGHT - float(self.worked) - float(self.failed):.3g}"


@frozen(kw_only=True)
class NumbersView:
    """The metrics of a stage: each as its value, and as what it is of.

    Attributes:
        name: the stage.
        values: deployments, lead time, change failure rate and time to restore, each with what it is of.
        weeks: the chart.
        summary: what the chart shows, in words.
    """

    name: str
    values: tuple[tuple[str, str], ...]
    weeks: tuple[WeekView, ...]
    summary: str


def describe(metrics: Metrics) -> NumbersView:
    """Return the metrics of a stage as the page shows them."""
    weeks = by_week(metrics)
    return NumbersView(
        name=metrics.name,
        values=(_deployments(metrics), _lead_time(metrics), _failure_rate(metrics), _restore(metrics)),
        weeks=_draw(weeks),
        summary=f"Releases by week, the last one now: {', '.join(map(_describe_week, weeks))}",
    )


def _deployments(metrics: Metrics) -> tuple[str, str]:
    if metrics.deployments is None:
        return UNKNOWN, "nothing was recorded yet"
    rate = metrics.deployments_per_week
    return str(metrics.deployments), "" if rate is None else f"{rate:.1f} a week"


def _lead_time(metrics: Metrics) -> tuple[str, str]:
    return _median(metrics.lead_time, "commit")


def _median(durations: Durations, noun: str) -> tuple[str, str]:
    if durations.median_seconds is None:
        return UNKNOWN, ""
    of = counted(durations.count, noun) if durations.count == 1 else f"median of {counted(durations.count, noun)}"
    return format_duration(durations.median_seconds), of


def _failure_rate(metrics: Metrics) -> tuple[str, str]:
    if metrics.change_failure_rate is None:
        return UNKNOWN, ""
    return f"{metrics.change_failure_rate:.0%}", f"{metrics.failed} of {counted(metrics.changes or 0, 'release')}"


def _restore(metrics: Metrics) -> tuple[str, str]:
    going_on = len(metrics.open_incidents)
    open_note = f"{counted(going_on, 'incident')} {'goes' if going_on == 1 else 'go'} on" if going_on else ""
    if metrics.restore.median_seconds is None:
        return ("none", "nothing was broken") if metrics.begin and not going_on else (UNKNOWN, open_note)
    value, of = _median(metrics.restore, "incident")
    return value, "; ".join(filter(None, (of, open_note)))


def _draw(weeks: tuple[Week, ...]) -> tuple[WeekView, ...]:
    highest = max((week.changes for week in weeks), default=0) or 1
    step = 100 / max(len(weeks), MIN_WEEKS)
    return tuple(
        WeekView(
            x=f"{position * step:.4g}",
            width=f"{step * 0.8:.4g}",
            worked=f"{(week.changes - week.failed) / highest * HEIGHT:.3g}",
            failed=f"{week.failed / highest * HEIGHT:.3g}",
        )
        for position, week in enumerate(weeks)
    )


def _describe_week(week: Week) -> str:
    return f"{week.changes}{f' with {week.failed} failed' if week.failed else ''}"
