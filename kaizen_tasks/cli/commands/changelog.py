"""`changelog.*`."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import JSON_HELP, RELEASE_HELP


def collection() -> Collection:
    """Return the tasks as a collection; plain `changelog` is `changelog.release`."""
    return Collection(release, add, check, show)


@command(handler="changelog.release", default=True)
def release(c: Context) -> None:
    """Move the entries of [Unreleased] to a section of the version in VERSION."""


@command(
    handler="changelog.add",
    help={
        "type": "added, changed, deprecated, removed, fixed or security",
        "text": "what changed, for the users",
        "breaking": "mark it as breaking",
    },
)
def add(c: Context, type: str = "", text: str = "", breaking: bool = False) -> None:
    """Add an entry to [Unreleased]."""


@command(
    handler="changelog.check",
    help={
        "json": JSON_HELP,
        "sarif": "print a SARIF document, which CI systems show next to the lines",
        "fix": "fix what can be fixed automatically first",
    },
)
def check(c: Context, json: bool = False, sarif: bool = False, fix: bool = False) -> None:
    """List every problem of CHANGELOG.md with its place and how to fix it."""


@command(
    handler="changelog.show",
    read_only=True,
    help={
        "release": f"{RELEASE_HELP} (default: the newest)",
        "since": "every release after this one: v0.1.0",
        "format": "md, json or html",
        "base-url": "make relative links absolute against this address",
    },
)
def show(c: Context, release: str = "", since: str = "", format: str = "md", base_url: str = "") -> None:
    """Print the notes of one release, or of all releases since another."""
