"""`promote` and `promote-STAGE`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import (
    ENV_HELP,
    NO_ROLLBACK_HELP,
    RELEASE_HELP,
    SHARD_HELP,
    SKIP_HELD_HELP,
    WAIT_HELP,
    WITHOUT_EVIDENCE_HELP,
    YES_HELP,
)

PROMOTE_HELP = {
    "release": f"{RELEASE_HELP} (default: the one verified last in the previous stage)",
    "yes": YES_HELP,
    "wait": WAIT_HELP,
    "skip-held": SKIP_HELD_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
    "shard": SHARD_HELP,
    "without-evidence": WITHOUT_EVIDENCE_HELP,
}


def promote_task(stage: str) -> Any:
    """Make the task that promotes to a later stage."""

    def promote_stage(
        c: Context,
        release: str = "",
        yes: bool = False,
        wait: str = "",
        skip_held: bool = False,
        no_rollback: bool = False,
        shard: str | None = None,
        without_evidence: str | None = None,
    ) -> None: ...

    promote_stage.__doc__ = f"Promote to {stage}: the bytes that were verified in the previous stage."
    return command(
        handler="promote.promote_stage", bound={"stage": stage}, name=f"promote-{stage}", help={**PROMOTE_HELP}
    )(promote_stage)


@command(handler="promote.promote", iterable=["env"], help={"env": ENV_HELP, **PROMOTE_HELP})
def promote(
    c: Context,
    env: list[str],
    release: str = "",
    yes: bool = False,
    wait: str = "",
    skip_held: bool = False,
    no_rollback: bool = False,
    shard: str | None = None,
    without_evidence: str | None = None,
) -> None:
    """Promote to any environments: the bytes that were verified in the previous stage."""
