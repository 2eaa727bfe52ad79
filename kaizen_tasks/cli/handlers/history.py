"""What `history` does."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import tables
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.flows.status import collect_history


def history(c: Context, *, env: list[str], limit: str, json: bool) -> None:
    max_entries = params.parse_number("--limit", limit, minimum=1, maximum=10_000)
    tools = wiring.toolbox(c.config)
    entries = collect_history(params.resolve_environments_or_all(env, tools.settings), tools, limit=max_entries)
    if json:
        json_output.print_json([json_output.entry_document(entry) for entry in entries])
    else:
        tables.print_history(entries)
