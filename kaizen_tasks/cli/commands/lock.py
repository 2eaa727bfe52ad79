"""`lock.*`: the runs that are changing an environment now."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ALL_ENVIRONMENTS_HELP, ENV_HELP, JSON_HELP


def collection() -> Collection:
    """Return the tasks as a collection."""
    return Collection(show, release)


@command(handler="lock.show", read_only=True, iterable=["env"], help={"env": ALL_ENVIRONMENTS_HELP, "json": JSON_HELP})
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show who locks or holds what, since when and why."""


@command(
    handler="lock.release",
    iterable=["env"],
    help={"env": ENV_HELP, "force": "remove it although its owner has not released it"},
)
def release(c: Context, env: list[str], force: bool = False) -> None:
    """Remove a lock that was left over; a run that is still alive notices and stops."""
