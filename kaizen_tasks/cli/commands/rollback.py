"""`rollback`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ENV_HELP, RELEASE_HELP, SHARD_HELP, WAIT_HELP, YES_HELP


@command(
    handler="rollback.rollback",
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "release": f"{RELEASE_HELP} (default: the last verified one before the release that is serving)",
        "reason": "why, for the ledger",
        "list": "list the releases to choose from, and change nothing",
        "json": "with --list: print one JSON document on stdout",
        "yes": YES_HELP,
        "wait": WAIT_HELP,
        "shard": SHARD_HELP,
    },
)
def rollback(
    c: Context,
    env: list[str],
    release: str = "",
    reason: str = "",
    list: bool = False,
    json: bool = False,
    yes: bool = False,
    wait: str = "",
    shard: str | None = None,
) -> None:
    """Roll back to the last verified release, or to a named one, without a build."""
