"""Looking: what runs where, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.tasks.boundary import ENV, JSON, command

if TYPE_CHECKING:
    from invoke.context import Context


@command(help={"json": JSON})
def status(c: Context, json: bool = False) -> None:
    """Show what runs where, and where the witnesses disagree."""
    from kaizen_tasks.adapters import tables
    from kaizen_tasks.flows import status as observing
    from kaizen_tasks.tasks import rendering
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    rows = observing.look(tuple(tools.settings.environments.values()), tools)
    if json:
        rendering.print_json(rendering.status_document(tools.settings, rows, tools.clock.now()))
    else:
        tables.print_status(rows)


@command(iterable=["env"], help={"env": ENV, "limit": "entries of each environment", "json": JSON})
def history(c: Context, env: list[str], limit: int = 20, json: bool = False) -> None:
    """Show the ledger: who put which release where, and whether it was verified."""
    from kaizen_tasks.adapters import tables
    from kaizen_tasks.tasks import asking, rendering
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = asking.stage(env or list(tools.settings.environments), tools.settings)
    found = [entry for each in stage.environments for entry in tools.ledger.entries(each.name, limit=limit)]
    found.sort(key=lambda entry: entry.at, reverse=True)
    if json:
        rendering.print_json([rendering.entry_document(entry) for entry in found])
    else:
        tables.print_history(found)
