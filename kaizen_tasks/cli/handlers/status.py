"""What `status` and `history` show."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime

from invoke.context import Context
from semver import Version

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console.terminal import is_interactive
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release_record import find_release_record
from kaizen_tasks.domain.status import EnvironmentStatus, StatusView, select_rows
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import DriftFound, UsageError
from kaizen_tasks.flows.views.history import HistoryFilter, collect_deployments, collect_history, read_span
from kaizen_tasks.flows.views.status import collect_status
from kaizen_tasks.wiring import Toolbox

DEFAULT_WATCH_INTERVAL = "5s"
"""Between two refreshes of --watch."""

MIN_WATCH_SECONDS = 1
"""Each refresh costs several requests of AWS for each environment."""


def status(
    c: Context, *, env: list[str], json: bool, check: bool, watch: bool, interval: str, since: str, release: str
) -> None:
    _require_matching_flags(check=check, watch=watch, interval=interval)
    tools = wiring.toolbox(c.config)
    environments = params.resolve_environments_or_all(env, tools.settings)
    interval_seconds = _parse_interval(interval or DEFAULT_WATCH_INTERVAL)
    if release:
        _require_release_alone(release, since=since, check=check, watch=watch)
        _print_release(environments, params.parse_release(release), tools, json=json)
        return
    moment = params.parse_since("--since", since, tools.clock.now()) if since else None
    if watch:
        _watch(environments, tools, interval_seconds, since=moment, json=json)
        return
    view = _collect(environments, tools, moment)
    if json:
        json_output.print_json(json_output.status_document(tools.settings, view.rows, tools.clock.now(), since=moment))
    elif not check:
        from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich, which --json does not need

        tables.print_status(view, tools.clock.now())
    if check:
        _require_no_drift(view.rows)
        if not json:
            _note_no_drift(view, tools)


def _require_matching_flags(*, check: bool, watch: bool, interval: str) -> None:
    if check and watch:
        raise UsageError("--check looks once and --watch does not end", hint="inv status --check")
    if interval and not watch:
        raise UsageError("--interval is for --watch", hint=typed_line("--watch"))


def _note_no_drift(view: StatusView, tools: Toolbox) -> None:
    changed = f" that {'has' if len(view.rows) == 1 else 'have'} changed since then" if view.since else ""
    tools.reporter.note(f"no drift in {counted(len(view.rows), 'environment')}{changed}")


def _require_release_alone(release: str, *, since: str, check: bool, watch: bool) -> None:
    """Refuse `--release` beside flags that are about everything that runs."""
    one = f"inv status --release {shlex.quote(release)}"
    in_span = f"inv history --release {shlex.quote(release)} --since {shlex.quote(since)}"
    for flag, is_given, hint in (("--since", bool(since), in_span), ("--check", check, one), ("--watch", watch, one)):
        if is_given:
            raise UsageError(f"--release shows one release, and {flag} what runs", hint=hint)


def _collect(environments: Sequence[Environment], tools: Toolbox, since: datetime | None) -> StatusView:
    return select_rows(collect_status(environments, tools), since)


def _print_release(environments: Sequence[Environment], version: Version | None, tools: Toolbox, *, json: bool) -> None:
    """Show what became of a release in each environment that ever had it."""
    wanted = HistoryFilter(release=version)
    records = {
        name: record
        for name, entries in read_span(environments, tools, wanted).items()
        if (record := find_release_record(entries, wanted.name)) is not None
    }
    rows = collect_status([environment for environment in environments if environment.name in records], tools)
    if json:
        now = tools.clock.now()
        json_output.print_json(json_output.release_document(tools.settings, wanted.name, records, rows, now))
    else:
        from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich, which --json does not need

        tables.print_release(wanted.name, records, rows, len(environments) - len(records))


def _require_no_drift(rows: Sequence[EnvironmentStatus]) -> None:
    """Raise an error of one line that says what differs, and where: for a job that looks every hour."""
    drifting = [row for row in rows if row.drift]
    if drifting:
        from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich, which --json does not need

        texts = "; ".join(tables.drift_texts(rows))
        raise DriftFound(
            f"drift in {counted(len(drifting), 'environment')}: {texts}", hint="inv status shows all of it"
        )


def history(c: Context, *, env: list[str], limit: str, since: str, release: str, json: bool) -> None:
    limit_number = params.parse_number("--limit", limit, minimum=1, maximum=10_000) if limit else 0
    version = params.parse_release(release)
    tools = wiring.toolbox(c.config)
    environments = params.resolve_environments_or_all(env, tools.settings)
    moment = params.parse_since("--since", since, tools.clock.now()) if since else None
    wanted = HistoryFilter(limit=limit_number, since=moment, release=version)
    if json:
        entries = collect_history(environments, tools, wanted)
        json_output.print_json([json_output.entry_document(entry) for entry in entries])
    else:
        from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich, which --json does not need

        tables.print_history(collect_deployments(environments, tools, wanted), empty=_nothing_found(wanted))


def _nothing_found(wanted: HistoryFilter) -> str:
    """Return what is said where the history has nothing of what is asked for."""
    subject = f"nothing happened with {wanted.name}" if wanted.name else "nothing was released"
    return f"{subject} since {wanted.since:%Y-%m-%d %H:%M} UTC" if wanted.since else f"{subject} yet"


def _parse_interval(interval: str) -> float:
    """Return the seconds of `--interval`.

    Raises:
        UsageError: it is not a duration, or is too short.
    """
    seconds = params.parse_duration("--interval", interval)
    if seconds < MIN_WATCH_SECONDS:
        raise UsageError(f"--interval {interval} is too short; the minimum is {MIN_WATCH_SECONDS}s")
    return seconds


def _watch(
    environments: Sequence[Environment],
    tools: Toolbox,
    interval_seconds: float,
    *,
    since: datetime | None,
    json: bool,
) -> None:
    """Refresh until Ctrl-C, which is the normal end: nothing was left unfinished."""
    if not json and not is_interactive(sys.stdout):
        raise UsageError("status --watch needs a terminal", hint=f"for a program: {typed_line('--json')}")
    try:
        (_watch_as_json if json else _watch_on_screen)(environments, tools, interval_seconds, since)
    except KeyboardInterrupt:
        return


def _watch_as_json(
    environments: Sequence[Environment], tools: Toolbox, interval_seconds: float, since: datetime | None
) -> None:
    while True:
        rows = _collect(environments, tools, since).rows
        json_output.print_json_line(json_output.status_document(tools.settings, rows, tools.clock.now(), since=since))
        tools.clock.sleep(interval_seconds)


def _watch_on_screen(
    environments: Sequence[Environment], tools: Toolbox, interval_seconds: float, since: datetime | None
) -> None:
    from kaizen_tasks.adapters.console import live_status  # noqa: PLC0415 - rich, which --json does not need

    refresh_note = f"refreshes every {duration.format_duration(interval_seconds)}, Ctrl-C ends"
    with live_status.live_screen() as screen:
        while True:
            view = _collect(environments, tools, since)
            now = tools.clock.now()
            screen.update(view, now, f"{tools.settings.app} at {now:%Y-%m-%d %H:%M:%S} UTC; {refresh_note}")
            tools.clock.sleep(interval_seconds)
