"""Looking, without changing anything: status, history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV, JSON, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.wiring import Toolbox

ALL = f"{ENV}; without it, all of them"
EVERY = "5s"
"""Between two looks of a watch, where nothing else is said."""


@command(
    iterable=["env"],
    help={
        "env": ALL,
        "json": f"{JSON}; with --watch, one line for each look",
        "watch": "look again and again until Ctrl-C, which is its normal end",
        "interval": f"how long to wait between two looks of --watch: 30s; without it, {EVERY}",
    },
)
def status(c: Context, env: list[str], json: bool = False, watch: bool = False, interval: str = "") -> None:
    """Show what runs where, and where the witnesses disagree."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows import status as observing
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    environments, pause = _chosen(env, tools), _pause(interval or EVERY, watch=watch or not interval)
    if watch:
        _watch(environments, tools, pause, json=json)
        return
    rows = observing.look(environments, tools)
    if json:
        json_output.print_json(json_output.status_document(tools.settings, rows, tools.clock.now()))
    else:
        tables.print_status(rows)


def _chosen(names: Sequence[str], tools: Toolbox) -> tuple[Environment, ...]:
    from kaizen_tasks.cli import prompts

    return prompts.stage(names, tools.settings).environments if names else tuple(tools.settings.environments.values())


def _pause(interval: str, *, watch: bool) -> float:
    """Return the seconds that `--interval` asks for.

    Raises:
        UsageError: it is not a length of time, too short a one, or nothing is watched.
    """
    from kaizen_tasks.domain import duration
    from kaizen_tasks.errors import UsageError

    if not watch:
        raise UsageError("--interval is for --watch", hint=f"inv status --watch --interval {interval}")
    try:
        seconds = duration.parse(interval)
    except ValueError as error:
        raise UsageError(f"--interval {interval}: {error}") from None
    if seconds < 1:
        raise UsageError(f"--interval {interval}: AWS is not to be asked so often", hint="--interval 1s, or longer")
    return seconds


def _watch(environments: Sequence[Environment], tools: Toolbox, pause: float, *, json: bool) -> None:
    """Look until a person has seen enough: Ctrl-C is the normal end, and nothing was left unfinished."""
    from kaizen_tasks.adapters.console.reporter import watched
    from kaizen_tasks.errors import UsageError

    if not json and not watched(sys.stdout):
        raise UsageError("status --watch needs a terminal", hint="--json gives a line for each look, anywhere")
    try:
        (_lines if json else _screen)(environments, tools, pause)
    except KeyboardInterrupt:
        return


def _lines(environments: Sequence[Environment], tools: Toolbox, pause: float) -> None:
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows import status as observing

    while True:
        rows = observing.look(environments, tools)
        json_output.print_json_line(json_output.status_document(tools.settings, rows, tools.clock.now()))
        tools.clock.sleep(pause)


def _screen(environments: Sequence[Environment], tools: Toolbox, pause: float) -> None:
    from kaizen_tasks.adapters.console import live_status
    from kaizen_tasks.domain import duration
    from kaizen_tasks.flows import status as observing

    again = f"again every {duration.show(pause)}, Ctrl-C ends"
    with live_status.screen() as screen:
        while True:
            rows = observing.look(environments, tools)
            screen.show(rows, f"{tools.settings.app} at {tools.clock.now():%Y-%m-%d %H:%M:%S} UTC; {again}")
            tools.clock.sleep(pause)


@command(iterable=["env"], help={"env": ALL, "limit": "how many entries of each environment", "json": JSON})
def history(c: Context, env: list[str], limit: str = "20", json: bool = False) -> None:
    """Show the ledger: who put which release where, and whether it was verified."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows import status as observing
    from kaizen_tasks.wiring import toolbox

    most = prompts.number("--limit", limit, least=1, most=10_000)
    tools = toolbox(c.config)
    found = observing.entries(_chosen(env, tools), tools, limit=most)
    if json:
        json_output.print_json([json_output.entry_document(entry) for entry in found])
    else:
        tables.print_history(found)
