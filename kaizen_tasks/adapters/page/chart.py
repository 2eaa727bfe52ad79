"""The timeline as a chart: where each bar begins and ends, in percent of the width."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from attrs import field, frozen

from kaizen_tasks.adapters.page.links import web_url
from kaizen_tasks.domain.dashboard.model import Dashboard, StageView
from kaizen_tasks.domain.dashboard.timeline import Bar, BarOutcome, Lane
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.domain.text.listing import counted

BAR_BYTES: Final = 70
LABEL_BYTES: Final = 38
"""What a bar takes beside its title, and what its label takes."""

MAX_TITLE: Final = 160
"""Characters of a reason that a bar shows; the table below shows more of it, and `--json` all."""

LANE_WIDTHS: Final = {"w3": 230, "w2": 500, "w1": 900}
"""How wide lanes are at least, in pixels: on a telephone, in a window of 46 rem, in one of 62 rem and more."""

LABEL_PADDING: Final = 12
LABEL_CHARACTER: Final = 7.5
"""Pixels that a label takes, for each of its characters and around it."""

MAX_TICKS: Final = 9
_STEPS: Final = (*(60 * minutes for minutes in (1, 2, 5, 15, 30)), *(3600 * hours for hours in (1, 3, 6, 12)))
_DAY_STEPS: Final = tuple(86400 * days for days in (1, 2, 7, 14, 28, 56, 91, 182, 364))
_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)

MARKS: Final = frozenset({"fail", "stop"})
"""The kinds of bars that are marks at one time."""

_KINDS: Final = {
    BarOutcome.FAILED: "fail",
    BarOutcome.ABANDONED: "stop",
    BarOutcome.ROLLED_BACK: "undone",
    BarOutcome.STARTED: "begun",
}


@frozen(kw_only=True)
class Tick:
    """A line of the grid, with its label."""

    x: str
    label: str


@frozen(kw_only=True)
class BarView:
    """A bar as the page has it.

    Attributes:
        kind: `now`, `past`, `undone`, `fail`, `stop`, `work` for a release that serves unverified, or `begun` for
            one that does not serve yet.
        x: where it begins, in percent.
        width: its width, in percent.
        label: its version; empty if it is too narrow for one everywhere.
        fits: from which width of the lane on the label fits, as a key of `LANE_WIDTHS`.
        title: what it tells, in lines.
        run: the address of its CI run, without what those of all bars begin with; None if it has none.
    """

    kind: str
    x: str
    width: str
    label: str
    fits: str
    title: str
    run: str | None = None

    @property
    def mark(self) -> bool:
        """Whether it is a mark at one time: the release has not served."""
        return self.kind in MARKS


@frozen(kw_only=True)
class LaneView:
    """The lane of an environment."""

    name: str
    summary: str
    bars: tuple[BarView, ...]
    error: str = ""


@frozen(kw_only=True)
class GroupView:
    """The lanes of a stage, below its heading; a stage of one environment of that name has none."""

    heading: str
    lanes: tuple[LaneView, ...]


@frozen(kw_only=True)
class Chart:
    """The whole timeline.

    Attributes:
        ticks: the grid.
        groups: the lanes, stage by stage.
        shown: number of bars.
        total: number of bars that there are in the span.
        size: what the bars take of the page, in bytes.
        run_prefix: what the addresses of all CI runs begin with.
    """

    ticks: tuple[Tick, ...]
    groups: tuple[GroupView, ...]
    shown: int
    total: int
    size: int
    run_prefix: str = ""

    @property
    def hidden(self) -> int:
        """How many bars are left out."""
        return self.total - self.shown


@frozen
class _Scale:
    """Places times between the beginning of the chart and its end."""

    start: datetime
    end: datetime
    seconds: float = field(init=False)

    @seconds.default
    def _seconds(self) -> float:
        return max((self.end - self.start).total_seconds(), 60.0)

    def percent(self, at: datetime) -> float:
        """Return where a time is, in percent of the width."""
        return min(max((at - self.start).total_seconds() / self.seconds * 100, 0.0), 100.0)


def draw_chart(board: Dashboard, *, max_bytes: int) -> Chart:
    """Return the timeline, with the newest bars only if there are too many for a page.

    Args:
        board: the dashboard.
        max_bytes: how much of the page the bars may take; those of releases that serve are there in any case.
    """
    scale = _Scale(_begin(board), board.at)
    bars = board.bars
    run_urls = [url for bar in bars if (url := web_url(bar.run_url))]
    run_prefix = os.path.commonprefix(run_urls)  # noqa: RUF071 - characters are meant
    views: dict[int, BarView] = {}
    used = 0
    for bar in sorted(bars, key=lambda bar: bar.end is not None):  # within both, the newest first
        view = _bar(bar, scale, run_prefix)
        size = BAR_BYTES + len(escape(view.title + (view.run or "")).encode()) + (LABEL_BYTES if view.label else 0)
        if used + size > max_bytes and bar.end is not None:
            break
        used += size
        views[id(bar)] = view
    groups = tuple(_group(stage, views) for stage in board.stages)
    return Chart(
        ticks=tuple(_ticks(scale)),
        groups=groups,
        shown=len(views),
        total=len(bars),
        size=used,
        run_prefix=run_prefix,
    )


def bar_kind(bar: Bar) -> str:
    """Return the class of a bar."""
    if bar.outcome is BarOutcome.DEPLOYED and bar.end is None:
        return "work"
    return _KINDS.get(bar.outcome) or ("now" if bar.end is None else "past")


def _begin(board: Dashboard) -> datetime:
    """Return where the chart begins: with the span or, if that is empty at first, shortly before the first bar."""
    first = min((bar.start for bar in board.bars), default=board.since)
    margin = max((board.at - first) / 30, timedelta(seconds=1))
    return max(board.since, first - margin)


def _group(stage: StageView, views: Mapping[int, BarView]) -> GroupView:
    names = [environment.name for environment in stage.environments]
    heading = "" if names == [stage.name] else stage.title
    return GroupView(heading=heading, lanes=tuple(_lane(environment.lane, views) for environment in stage.environments))


def _lane(lane: Lane, views: Mapping[int, BarView]) -> LaneView:
    bars = [views[id(bar)] for bar in reversed(lane.bars) if id(bar) in views]
    marks_last = sorted(bars, key=lambda view: view.mark)
    return LaneView(name=lane.environment, summary=_summary(lane), bars=tuple(marks_last), error=lane.error)


def _summary(lane: Lane) -> str:
    serving = f"{lane.serving.version} serves" if lane.serving else "nothing is known to serve"
    failures = sum(bar.outcome in {BarOutcome.FAILED, BarOutcome.ROLLED_BACK} for bar in lane.bars)
    return f"{lane.environment}: {serving}; {counted(len(lane.bars), 'deployment')}, {failures} failed or rolled back"


def _bar(bar: Bar, scale: _Scale, run_prefix: str) -> BarView:
    start = scale.percent(bar.start)
    width = (scale.percent(bar.end) if bar.end else 100.0) - start
    label_pixels = LABEL_PADDING + LABEL_CHARACTER * len(bar.version)
    fits = next((name for name, pixels in LANE_WIDTHS.items() if width * pixels / 100 >= label_pixels), "")
    return BarView(
        kind=bar_kind(bar),
        x=f"{min(start, 99.5) if bar_kind(bar) in MARKS else start:.4g}",
        width=f"{max(width, 0.1):.4g}",
        label=bar.version if fits and bar_kind(bar) != "begun" else "",
        fits=fits,
        title="\n".join(_title_lines(bar)),
        run=bar.run_url.removeprefix(run_prefix) if web_url(bar.run_url) else None,
    )


def _title_lines(bar: Bar) -> Iterator[str]:
    outcome = "deployed, not verified" if bar.outcome is BarOutcome.DEPLOYED else str(bar.outcome)
    yield f"{bar.version} {outcome}"
    served = ""
    if bar.is_serving:
        served = ", still serving"
    elif bar.has_served and bar.end:
        served = f", for {format_duration((bar.end - bar.start).total_seconds())}"
    yield f"{bar.start:%Y-%m-%d %H:%M}{served}"
    took = "" if bar.seconds is None else f", took {format_duration(bar.seconds)}"
    yield f"by {_cut(bar.actor)}{took}"
    yield from map(_cut, filter(None, (bar.reason, bar.undone)))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…"


def _ticks(scale: _Scale) -> Iterable[Tick]:
    step = next((step for step in (*_STEPS, *_DAY_STEPS) if scale.seconds / step <= MAX_TICKS), _DAY_STEPS[-1])
    first = -(-(scale.start - _MONDAY).total_seconds() // step)
    at = _MONDAY + timedelta(seconds=first * step)
    while at < scale.end:
        percent = scale.percent(at)
        if 2 < percent < 98:
            label = f"{at:%H:%M}" if step < 86400 and (at.hour or at.minute) else f"{at.day} {at:%b}"
            yield Tick(x=f"{percent:.4g}", label=label)
        at += timedelta(seconds=step)
