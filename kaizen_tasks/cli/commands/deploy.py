"""`deploy` and `verify`, for any environment."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ENV_HELP, RELEASE_HELP, WAIT_HELP, WITHOUT_EVIDENCE_HELP, YES_HELP


@command(
    handler="deploy.deploy",
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "release": RELEASE_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
        "without-evidence": WITHOUT_EVIDENCE_HELP,
    },
)
def deploy(
    c: Context,
    env: list[str],
    release: str = "",
    yes: bool = False,
    wait: str = "",
    without_evidence: str | None = None,
) -> None:
    """Bring a release into service: copy by digest if needed, point :latest, start, wait."""


@command(handler="deploy.verify", iterable=["env"], help={"env": ENV_HELP, "release": RELEASE_HELP})
def verify(c: Context, env: list[str], release: str = "") -> None:
    """Ask the running app until it proves the version, then run the smoke checks."""
