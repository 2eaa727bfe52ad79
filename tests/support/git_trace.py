"""The git commands that a command starts, from git's own trace: https://git-scm.com/docs/api-trace2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def traced_commands(trace: Path) -> list[str]:
    """Return the subcommands in the file of `GIT_TRACE2_EVENT`, in order, without those that git has started itself."""
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return [_subcommand(event["argv"]) for event in events if event["event"] == "start" and "/" not in event["sid"]]


def _subcommand(argv: list[str]) -> str:
    words = iter(argv[1:])
    for word in words:
        if word == "-c":
            next(words)
        elif not word.startswith("-"):
            return word
    return ""
