"""The release side, step by step: `bump`, `commit`, `build`, `push`, `tag`; and `cut`, a whole local release."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ENV_HELP, FORCE_HELP, PART_HELP, SKIP_DOCS_HELP, TO_HELP


@command(handler="steps.bump", help={"part": PART_HELP, "to": TO_HELP, "force": FORCE_HELP})
def bump(c: Context, part: str = "auto", to: str = "", force: bool = False) -> None:
    """Write the next version into VERSION."""


@command(
    handler="steps.cut",
    help={
        "part": PART_HELP,
        "to": TO_HELP,
        "push": "push branch and tag too",
        "skip-docs": SKIP_DOCS_HELP,
        "force": FORCE_HELP,
    },
)
def cut(
    c: Context, part: str = "auto", to: str = "", push: bool = False, skip_docs: str = "", force: bool = False
) -> None:
    """Release a library: bump, changelog, commit and tag, all or nothing."""


@command(handler="steps.commit")
def commit(c: Context) -> None:
    """Make the release commit: HEAD plus VERSION and CHANGELOG.md, nothing else."""


@command(handler="steps.build")
def build(c: Context) -> None:
    """Build the image of the release commit, from a clean export."""


@command(handler="push.push", iterable=["env"], help={"env": ENV_HELP})
def push(c: Context, env: list[str]) -> None:
    """Upload :vX.Y.Z into an environment's repository; never replace other bytes."""


@command(handler="steps.tag")
def tag(c: Context) -> None:
    """Tag the release commit, and push tag and branch atomically."""
