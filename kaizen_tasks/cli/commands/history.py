"""`history`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ALL_ENVIRONMENTS_HELP, JSON_HELP


@command(
    handler="history.history",
    read_only=True,
    iterable=["env"],
    help={"env": ALL_ENVIRONMENTS_HELP, "limit": "how many entries of each environment", "json": JSON_HELP},
)
def history(c: Context, env: list[str], limit: str = "20", json: bool = False) -> None:
    """Show the ledger: who put which release where, and whether it was verified."""
