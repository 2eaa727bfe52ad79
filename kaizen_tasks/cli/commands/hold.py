"""`hold.*`: environments that promotions must leave as they are."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ENV_HELP


def collection() -> Collection:
    """Return the tasks as a collection."""
    return Collection(add, remove)


@command(
    handler="hold.add",
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "reason": "why the environment must be left alone",
        "until": "how long, e.g. 7d or 12h (default: until removed)",
    },
)
def add(c: Context, env: list[str], reason: str = "", until: str = "") -> None:
    """Leave an environment as it is until the hold ends or is removed."""


@command(handler="hold.remove", iterable=["env"], help={"env": ENV_HELP})
def remove(c: Context, env: list[str]) -> None:
    """End a hold: the environment takes part in promotions again."""
