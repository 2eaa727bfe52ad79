"""`local.*`: the local cloud."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import JSON_HELP

STATE_HELP = "the cloud's folder (default: one for this checkout of the app)"


def collection() -> Collection:
    """Return the tasks as a collection."""
    return Collection(up, down, status)


@command(
    handler="local.cloud.up",
    help={
        "state": STATE_HELP,
        "port": "port on loopback; 0 picks a free one",
        "first": "version label of the image that new services start with (default: the committed VERSION)",
        "json": JSON_HELP,
    },
)
def up(c: Context, state: str = "", port: str = "0", first: str = "", json: bool = False) -> None:
    """Start a local cloud with this app's repositories, services and ledger in it."""


@command(handler="local.cloud.down", help={"state": STATE_HELP})
def down(c: Context, state: str = "") -> None:
    """Stop the local cloud and everything it runs, and keep its state."""


@command(handler="local.cloud.status", read_only=True, name="status", help={"state": STATE_HELP, "json": JSON_HELP})
def status(c: Context, state: str = "", json: bool = False) -> None:
    """Show whether the local cloud is running, and where."""
