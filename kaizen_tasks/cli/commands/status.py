"""`status`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ALL_ENVIRONMENTS_HELP, JSON_HELP


@command(
    handler="status.status",
    read_only=True,
    iterable=["env"],
    help={
        "env": ALL_ENVIRONMENTS_HELP,
        "json": f"{JSON_HELP}; with --watch, one line for each refresh",
        "watch": "refresh until Ctrl-C, which exits 0",
        "interval": "how long to wait between two refreshes of --watch, e.g. 30s (default: 5s)",
    },
)
def status(c: Context, env: list[str], json: bool = False, watch: bool = False, interval: str = "") -> None:
    """Show what runs where, and any drift between registry, ledger and the running app."""
