"""`setup`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import YES_HELP


@command(
    handler="setup.setup",
    help={
        "yes": YES_HELP,
        "print-iam": "print the least IAM policy for releasing, and do nothing else",
        "github": "with --print-iam: the role for GitHub Actions of this repository, as owner/name",
    },
)
def setup(c: Context, yes: bool = False, print_iam: bool = False, github: str = "") -> None:
    """Create what is missing: the ledger's table, tags that never move, blob mounting."""
