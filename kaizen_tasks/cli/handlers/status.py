"""What `status` and `history` show."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import live_status, tables
from kaizen_tasks.adapters.console.reporter import is_interactive
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.entry_point.correction import typed_line
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.status import EnvironmentStatus
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import DriftFound, UsageError
from kaizen_tasks.flows.history import collect_deployments, collect_history
from kaizen_tasks.flows.status import collect_status
from kaizen_tasks.wiring import Toolbox

DEFAULT_WATCH_INTERVAL = "5s"
"""Between two refreshes of --watch."""

MIN_WATCH_SECONDS = 1
"""Each refresh costs several requests of AWS for each environment."""


def status(c: Context, *, env: list[str], json: bool, check: bool, watch: bool, interval: str) -> None:
    if check and watch:
        raise UsageError("--check looks once and --watch does not end", hint="inv status --check")
    tools = wiring.toolbox(c.config)
    environments = params.resolve_environments_or_all(env, tools.settings)
    if interval and not watch:
        raise UsageError("--interval is for --watch", hint=typed_line("--watch"))
    interval_seconds = _parse_interval(interval or DEFAULT_WATCH_INTERVAL)
    if watch:
        _watch(environments, tools, interval_seconds, json=json)
        return
    rows = collect_status(environments, tools)
    if json:
        json_output.print_json(json_output.status_document(tools.settings, rows, tools.clock.now()))
    elif not check:
        tables.print_status(rows, tools.clock.now())
    if check:
        _require_no_drift(rows)
        if not json:
            tools.reporter.note(f"no drift in {counted(len(rows), 'environment')}")


def _require_no_drift(rows: Sequence[EnvironmentStatus]) -> None:
    """Raise an error of one line that says what differs, and where: for a job that looks every hour."""
    drifting = [row for row in rows if row.drift]
    if drifting:
        texts = "; ".join(tables.drift_texts(rows))
        raise DriftFound(
            f"drift in {counted(len(drifting), 'environment')}: {texts}", hint="inv status shows all of it"
        )


def history(c: Context, *, env: list[str], limit: str, json: bool) -> None:
    limit_number = params.parse_number("--limit", limit, minimum=1, maximum=10_000)
    tools = wiring.toolbox(c.config)
    environments = params.resolve_environments_or_all(env, tools.settings)
    if json:
        entries = collect_history(environments, tools, limit=limit_number)
        json_output.print_json([json_output.entry_document(entry) for entry in entries])
    else:
        tables.print_history(collect_deployments(environments, tools, limit=limit_number))


def _parse_interval(interval: str) -> float:
    """Return the seconds of `--interval`.

    Raises:
        UsageError: it is not a duration, or is too short.
    """
    seconds = params.parse_duration("--interval", interval)
    if seconds < MIN_WATCH_SECONDS:
        raise UsageError(f"--interval {interval} is too short; the minimum is {MIN_WATCH_SECONDS}s")
    return seconds


def _watch(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float, *, json: bool) -> None:
    """Refresh until Ctrl-C, which is the normal end: nothing was left unfinished."""
    if not json and not is_interactive(sys.stdout):
        raise UsageError("status --watch needs a terminal", hint=f"for a program: {typed_line('--json')}")
    try:
        (_watch_as_json if json else _watch_on_screen)(environments, tools, interval_seconds)
    except KeyboardInterrupt:
        return


def _watch_as_json(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float) -> None:
    while True:
        rows = collect_status(environments, tools)
        json_output.print_json_line(json_output.status_document(tools.settings, rows, tools.clock.now()))
        tools.clock.sleep(interval_seconds)


def _watch_on_screen(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float) -> None:
    refresh_note = f"refreshes every {duration.format_duration(interval_seconds)}, Ctrl-C ends"
    with live_status.live_screen() as screen:
        while True:
            rows = collect_status(environments, tools)
            now = tools.clock.now()
            screen.update(rows, now, f"{tools.settings.app} at {now:%Y-%m-%d %H:%M:%S} UTC; {refresh_note}")
            tools.clock.sleep(interval_seconds)
