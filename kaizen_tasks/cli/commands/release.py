"""`release-STAGE` and `hotfix`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import (
    FORCE_HELP,
    NO_ROLLBACK_HELP,
    PART_HELP,
    SKIP_DOCS_HELP,
    TO_HELP,
    WAIT_HELP,
    YES_HELP,
)

RELEASE_HELP = {
    "part": PART_HELP,
    "to": TO_HELP,
    "yes": YES_HELP,
    "skip-docs": SKIP_DOCS_HELP,
    "force": FORCE_HELP,
    "wait": WAIT_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
}


def release_task(stage: str) -> Any:
    """Make the task that releases to the first stage."""

    def release(
        c: Context,
        part: str = "auto",
        to: str = "",
        yes: bool = False,
        skip_docs: str = "",
        force: bool = False,
        wait: str = "",
        no_rollback: bool = False,
    ) -> None: ...

    release.__doc__ = f"Release to {stage}: from the commit to a verified service and a tag."
    return command(
        handler="release.release_to_stage", bound={"stage": stage}, name=f"release-{stage}", help={**RELEASE_HELP}
    )(release)


@command(
    handler="release.hotfix",
    help={"env": "the environment", "reason": "why, for the hold that it leaves", **RELEASE_HELP},
)
def hotfix(
    c: Context,
    env: str = "",
    reason: str = "",
    part: str = "auto",
    to: str = "",
    yes: bool = False,
    skip_docs: str = "",
    force: bool = False,
    wait: str = "",
    no_rollback: bool = False,
) -> None:
    """Release straight to one environment from a hotfix branch, then hold it."""
