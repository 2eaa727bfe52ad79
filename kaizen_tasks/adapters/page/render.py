"""Renders a dashboard as one HTML document, which runs its own script and requests nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from kaizen_tasks.adapters.page.chart import Chart, bar_kind, draw_chart
from kaizen_tasks.adapters.page.links import web_url
from kaizen_tasks.adapters.page.notes import fit_notes
from kaizen_tasks.adapters.page.numbers import describe
from kaizen_tasks.domain.changelog.render.html import render_body
from kaizen_tasks.domain.dashboard.model import OUTSIDE, Dashboard, EnvironmentView, ReleaseView, StageReach, StageView
from kaizen_tasks.domain.dashboard.timeline import Bar
from kaizen_tasks.domain.status import EnvironmentState, EnvironmentStatus
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.domain.text.listing import counted, list_names
from kaizen_tasks.domain.text.printable import printable_lines
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Environment

    from kaizen_tasks.domain.changelog.section import Section

GENERATOR: Final = "kaizen_tasks dashboard"
"""By which a file is known to be a dashboard, which the next one may replace."""

HEAD_BYTES: Final = 4096
"""The beginning of a file, in which that stands."""

MAX_BYTES: Final = 297_000
"""How large a page may be; what it leaves out first are the oldest bars of the timeline."""

MAX_CHART_BYTES: Final = 230_000
"""How much of the page the bars of the timeline take, if the rest leaves as much."""

MAX_ROWS: Final = 60
"""How many deployments the table lists: each takes about 300 bytes."""

MAX_NOTES_BYTES: Final = 25_000
"""How much of the page the notes of releases take, the newest first; one release is shown in any case."""

MAX_LENGTH: Final = 300
"""Characters of a text from outside that the page shows; `--json` has all."""

MAX_REMARKS: Final = 24_000
"""Characters of all remarks about environments: the more there are, the shorter each of them."""

_KINDS: Final = {
    EnvironmentState.IN_SYNC: "ok",
    EnvironmentState.DRIFT: "drift",
    EnvironmentState.DEPLOYING: "work",
    EnvironmentState.NEW: "new",
}
_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#1a6b50"/>'
    '<path d="M3 5h7M3 8h10M3 11h5" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>'
)


def render_page(board: Dashboard, *, is_live: bool = False) -> str:
    """Return the page.

    Args:
        board: what it shows.
        is_live: whether it keeps itself up to date, by asking the server that it came from.

    Raises:
        UsageError: Jinja2 is not installed.
    """
    chart = draw_chart(board, max_bytes=MAX_CHART_BYTES)
    timeline = _render_timeline(board, chart)
    page = _render(board, timeline, is_live=is_live)
    excess = len(page.encode()) - MAX_BYTES
    if excess <= 0:
        return page
    return page.replace(timeline, _render_timeline(board, draw_chart(board, max_bytes=chart.size - excess)))


def _render_timeline(board: Dashboard, chart: Chart) -> str:
    return _environment().get_template("timeline.html").render(board=board, chart=chart, rows=board.bars[:MAX_ROWS])


def _render(board: Dashboard, timeline: str, *, is_live: bool) -> str:
    template = _environment().get_template("page.html")
    from markupsafe import Markup

    style, script = (_asset(name) for name in ("style.css", "script.js"))
    scripts = (script, _asset("live.js")) if is_live else (script,)
    releases, hidden_releases = _with_notes(board)
    return template.render(
        board=board,
        policy=_policy(style, scripts, may_connect=is_live),
        generator=GENERATOR,
        icon=f"data:image/svg+xml,{quote(_ICON)}",
        style=Markup(style),  # noqa: S704 - files of this package
        scripts=[Markup(each) for each in scripts],  # noqa: S704
        counts=_counts(board),
        remark_length=_remark_length(board),
        timeline=Markup(timeline),  # noqa: S704 - of a template
        numbers=[describe(metrics) for metrics in board.metrics],
        releases=releases,
        hidden_releases=hidden_releases,
        unreleased_notes=Markup(_notes(board, board.unreleased)) if board.unreleased else "",  # noqa: S704 - sanitised
    )


def is_dashboard(content: bytes) -> bool:
    """Return whether a file is a page of `render_page`."""
    return f'content="{GENERATOR}"'.encode() in content[:HEAD_BYTES]


@cache
def _environment() -> Environment:
    try:
        import jinja2
    except ImportError:
        from kaizen_tasks.adapters.host.extras import install_command

        hint = install_command("dashboard")
        raise UsageError("the page needs Jinja2, which is not installed", hint=hint) from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kaizen_tasks.adapters.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters())
    return environment


def _printable(value: object) -> object:
    """Return a text without the characters that a browser would obey or hide; anything else as it is."""
    return printable_lines(value) if type(value) is str else value


@cache
def _asset(name: str) -> str:
    return (files("kaizen_tasks.adapters.page") / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str], *, may_connect: bool) -> str:
    """Return the Content-Security-Policy, which allows this style sheet and these scripts, by their hashes."""
    connect = "connect-src 'self'; " if may_connect else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, scripts))}; {connect}"
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _with_notes(board: Dashboard) -> tuple[list[tuple[ReleaseView, Any]], int]:
    """Return the newest releases with their notes as HTML, and the number of those for which there is no room."""
    from markupsafe import Markup

    shown: list[tuple[ReleaseView, Any]] = []
    room = MAX_NOTES_BYTES
    for release in board.releases:
        notes = _notes(board, release.section)
        room -= len(notes.encode()) + 400
        if shown and room < 0:
            break
        shown.append((release, Markup(notes)))  # noqa: S704 - sanitised
    return shown, len(board.releases) - len(shown)


def _notes(board: Dashboard, section: Section | None) -> str:
    if section is None or board.changelog is None:
        return ""
    return fit_notes(printable_lines(render_body(board.changelog, section, base_url=board.links_base or None)))


def _counts(board: Dashboard) -> list[tuple[str, str]]:
    statuses = [environment.status for environment in board.environments]
    return [(counted(len(statuses), "environment"), ""), *_states(statuses)]


def _stage_states(stage: StageView) -> list[tuple[str, str]]:
    return _states([environment.status for environment in stage.environments])


def _states(statuses: Sequence[EnvironmentStatus]) -> list[tuple[str, str]]:
    """Return the numbers of environments in each state, in words with their kind; none for a state without any."""
    labels = {_KINDS[state]: str(state) for state in EnvironmentState} | {"unread": "could not be read"}
    kinds = [_state_kind(status) for status in statuses]
    kinds += ["held" for status in statuses if status.hold] + ["locked" for status in statuses if status.lock]
    order = [*labels, "held", "locked"]
    return [(f"{kinds.count(kind)} {labels.get(kind, kind)}", kind) for kind in order if kind in kinds]


def _state_kind(status: EnvironmentStatus) -> str:
    return "unread" if status.errors else _KINDS[status.state]


def _remarks(environment: EnvironmentView) -> list[tuple[str, str]]:
    """Return what is to be said about an environment below its row, each with its kind."""
    status = environment.status
    history = (f"its history could not be read: {environment.lane.error}",) if environment.lane.error else ()
    problems = (("drift", text) for text in dict.fromkeys((*status.drift, *history)))
    return [*problems, *(("note", text) for text in status.notes)]


def _remark_length(board: Dashboard) -> int:
    count = sum(len(_remarks(environment)) for environment in board.environments)
    return max(60, min(MAX_LENGTH, MAX_REMARKS // max(count, 1)))


def _reach_kind(reach: StageReach) -> str:
    if reach.failed or reach.rolled_back:
        return "bad"
    return "ok" if reach.serving else "past" if reach.served else "work"


def _reach_text(reach: StageReach) -> str:
    stage = reach.stage or OUTSIDE
    return f"{stage}: {', '.join(_reach_parts(reach))}"


def _reach_parts(reach: StageReach) -> Iterator[str]:
    of_total = f" of {reach.total}" if reach.total > 1 else ""

    def count(number: int) -> str:
        return f" in {number}{of_total}" if of_total else ""

    if reach.serving:
        yield f"serves{count(reach.serving)}"
    elif reach.served > reach.failed + reach.rolled_back:
        yield f"has served{count(reach.served)}"
    if reach.failed:
        yield f"failed{count(reach.failed)}"
    if reach.rolled_back:
        yield f"was rolled back{count(reach.rolled_back)}"
    if not (reach.serving or reach.served or reach.failed):
        yield "being deployed"


def _bar_state(bar: Bar) -> str:
    kinds = {"now": "ok", "begun": "work", "fail": "bad"}
    return kinds.get(kind := bar_kind(bar), kind)


def _served(bar: Bar) -> str:
    if bar.is_serving:
        return "still serving"
    return format_duration((bar.end - bar.start).total_seconds()) if bar.has_served and bar.end else ""


def _filters() -> dict[str, Any]:
    from markupsafe import Markup

    def time(at: datetime) -> Markup:
        return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%MZ}", f"{at:%Y-%m-%d %H:%M}")

    def day(at: date) -> Markup:
        return Markup('<time datetime="{0}">{0}</time>').format(f"{at:%Y-%m-%d}")

    return {
        "bar_state": _bar_state,
        "counted": counted,
        "cut": lambda text, length=MAX_LENGTH: text if len(text) <= length else f"{text[: length - 1]}…",
        "date": day,
        "digest": lambda digest: digest.removeprefix("sha256:")[:12],
        "kind": _state_kind,
        "names": list_names,
        "number": lambda number: f"{number:,}",
        "reach_kind": _reach_kind,
        "reach_text": _reach_text,
        "remarks": _remarks,
        "served": _served,
        "states": _stage_states,
        "time": time,
        "took": lambda seconds: "" if seconds is None else format_duration(seconds),
        "web": web_url,
        "why": lambda bar: "; ".join(filter(None, (bar.reason, bar.undone))),
    }
