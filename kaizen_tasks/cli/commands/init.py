"""`init`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import YES_HELP


@command(
    handler="init.init",
    iterable=["env"],
    help={
        "yes": f"{YES_HELP}: use what was found, and defaults for the rest",
        "from-aws": "read the account's services and repositories too; changes nothing there",
        "app": "the app's name",
        "region": "region of repositories and services, such as eu-west-1",
        "profile": "profile of your AWS configuration",
        "ci": "write workflows that run these tasks: github",
        "env": "an environment, instead of those that are found; may be repeated",
    },
)
def init(
    c: Context,
    env: list[str],
    yes: bool = False,
    from_aws: bool = False,
    app: str = "",
    region: str = "",
    profile: str = "",
    ci: str = "",
) -> None:
    """Write what an app needs to be released: tasks.py, kaizen.toml, VERSION, CHANGELOG.md."""
