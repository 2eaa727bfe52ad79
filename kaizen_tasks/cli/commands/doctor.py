"""`doctor`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import JSON_HELP


@command(handler="doctor.doctor", read_only=True, help={"json": JSON_HELP})
def doctor(c: Context, json: bool = False) -> None:
    """Check everything that a release needs, and say how to fix what is missing."""
