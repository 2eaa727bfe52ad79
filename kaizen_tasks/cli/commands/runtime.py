"""`runtime.*`: the configuration that an environment's app reads when it starts."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ALL_ENVIRONMENTS_HELP, ENV_HELP, JSON_HELP, NO_ROLLBACK_HELP, WAIT_HELP, YES_HELP

NO_DEPLOY_HELP = "write the values but do not deploy; they take effect with the next deployment"


def collection() -> Collection:
    """Return the tasks as a collection."""
    return Collection(show, diff, set_values, deploy, rollback)


@command(
    handler="runtime.show", read_only=True, iterable=["env"], help={"env": ALL_ENVIRONMENTS_HELP, "json": JSON_HELP}
)
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show the names and ages of what is configured, and the values that are no secrets."""


@command(
    handler="runtime.diff",
    read_only=True,
    help={"env": "one environment", "against": "the other one", "json": JSON_HELP},
)
def diff(c: Context, env: str = "", against: str = "", json: bool = False) -> None:
    """Compare what is configured in two environments."""


@command(
    handler="runtime.set_values",
    name="set",
    iterable=["env", "set", "set_file", "set_stdin"],
    help={
        "env": ENV_HELP,
        "set": "KEY=VALUE; may be repeated",
        "set-file": "KEY=path of a file with the value, for secrets; may be repeated",
        "set-stdin": "KEY, whose value is read from stdin, for secrets",
        "no-deploy": NO_DEPLOY_HELP,
        "no-rollback": NO_ROLLBACK_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
    },
)
def set_values(
    c: Context,
    env: list[str],
    set: list[str],
    set_file: list[str],
    set_stdin: list[str],
    no_deploy: bool = False,
    no_rollback: bool = False,
    yes: bool = False,
    wait: str = "",
) -> None:
    """Change values, then deploy the same release with them and verify it."""


@command(
    handler="runtime.rollback",
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "reason": "why, for the ledger",
        "no-deploy": NO_DEPLOY_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
    },
)
def rollback(
    c: Context, env: list[str], reason: str = "", no_deploy: bool = False, yes: bool = False, wait: str = ""
) -> None:
    """Restore the previous configuration, and deploy the same release with it."""


@command(handler="runtime.deploy", iterable=["env"], help={"env": ENV_HELP, "yes": YES_HELP, "wait": WAIT_HELP})
def deploy(c: Context, env: list[str], yes: bool = False, wait: str = "") -> None:
    """Deploy the same release, so that the app reads what was written elsewhere."""
