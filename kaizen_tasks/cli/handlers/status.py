"""Looking, without changing anything: status, history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV_HELP, JSON_HELP, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.wiring import Toolbox

ALL_ENVIRONMENTS_HELP = f"{ENV_HELP}; without it, all of them"
DEFAULT_WATCH_INTERVAL = "5s"
"""Between two looks of a watch, where nothing else is said."""


@command(
    iterable=["env"],
    help={
        "env": ALL_ENVIRONMENTS_HELP,
        "json": f"{JSON_HELP}; with --watch, one line for each look",
        "watch": "look again and again until Ctrl-C, which is its normal end",
        "interval": f"how long to wait between two looks of --watch: 30s; without it, {DEFAULT_WATCH_INTERVAL}",
    },
)
def status(c: Context, env: list[str], json: bool = False, watch: bool = False, interval: str = "") -> None:
    """Show what runs where, and where the witnesses disagree."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows import status as observing
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    environments, interval_seconds = (
        _select_environments(env, tools),
        _parse_interval(interval or DEFAULT_WATCH_INTERVAL, watch=watch or not interval),
    )
    if watch:
        _watch(environments, tools, interval_seconds, json=json)
        return
    rows = observing.collect_status(environments, tools)
    if json:
        json_output.print_json(json_output.status_document(tools.settings, rows, tools.clock.now()))
    else:
        tables.print_status(rows)


def _select_environments(names: Sequence[str], tools: Toolbox) -> tuple[Environment, ...]:
    from kaizen_tasks.cli import prompts

    return (
        prompts.resolve_stage(names, tools.settings).environments
        if names
        else tuple(tools.settings.environments.values())
    )


def _parse_interval(interval: str, *, watch: bool) -> float:
    """Return the seconds that `--interval` asks for.

    Raises:
        UsageError: it is not a length of time, too short a one, or nothing is watched.
    """
    from kaizen_tasks.domain import duration
    from kaizen_tasks.errors import UsageError

    if not watch:
        raise UsageError("--interval is for --watch", hint=f"inv status --watch --interval {interval}")
    try:
        seconds = duration.parse_duration(interval)
    except ValueError as error:
        raise UsageError(f"--interval {interval}: {error}") from None
    if seconds < 1:
        raise UsageError(f"--interval {interval}: AWS is not to be asked so often", hint="--interval 1s, or longer")
    return seconds


def _watch(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float, *, json: bool) -> None:
    """Look until a person has seen enough: Ctrl-C is the normal end, and nothing was left unfinished."""
    from kaizen_tasks.adapters.console.reporter import is_interactive
    from kaizen_tasks.errors import UsageError

    if not json and not is_interactive(sys.stdout):
        raise UsageError("status --watch needs a terminal", hint="--json gives a line for each look, anywhere")
    try:
        (_watch_as_json if json else _watch_on_screen)(environments, tools, interval_seconds)
    except KeyboardInterrupt:
        return


def _watch_as_json(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float) -> None:
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows import status as observing

    while True:
        rows = observing.collect_status(environments, tools)
        json_output.print_json_line(json_output.status_document(tools.settings, rows, tools.clock.now()))
        tools.clock.sleep(interval_seconds)


def _watch_on_screen(environments: Sequence[Environment], tools: Toolbox, interval_seconds: float) -> None:
    from kaizen_tasks.adapters.console import live_status
    from kaizen_tasks.domain import duration
    from kaizen_tasks.flows import status as observing

    refresh_note = f"again every {duration.format_duration(interval_seconds)}, Ctrl-C ends"
    with live_status.live_screen() as screen:
        while True:
            rows = observing.collect_status(environments, tools)
            screen.update(rows, f"{tools.settings.app} at {tools.clock.now():%Y-%m-%d %H:%M:%S} UTC; {refresh_note}")
            tools.clock.sleep(interval_seconds)


@command(
    iterable=["env"],
    help={"env": ALL_ENVIRONMENTS_HELP, "limit": "how many entries of each environment", "json": JSON_HELP},
)
def history(c: Context, env: list[str], limit: str = "20", json: bool = False) -> None:
    """Show the ledger: who put which release where, and whether it was verified."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows import status as observing
    from kaizen_tasks.wiring import toolbox

    max_entries = prompts.parse_number("--limit", limit, minimum=1, maximum=10_000)
    tools = toolbox(c.config)
    entries = observing.collect_history(_select_environments(env, tools), tools, limit=max_entries)
    if json:
        json_output.print_json([json_output.entry_document(entry) for entry in entries])
    else:
        tables.print_history(entries)
