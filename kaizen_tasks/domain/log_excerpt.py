"""The last lines of a log, safe to show on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kaizen_tasks.domain.printable import printable

MAX_LINES = 12  # lines of a log that are shown
MAX_COLUMNS = 160  # characters of a line that are shown
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Control sequences of terminals (ECMA-48, sections 5.3 and 5.4)."""

_FAILURE_REASON = re.compile(r"Failure reason\s*:\s*(\S.*)")


def sanitize_tail(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the last lines that are not blank, shortened and without control characters."""
    sanitized_lines = (_sanitize_line(piece) for line in lines for piece in line.splitlines())
    return tuple([line for line in sanitized_lines if line][-MAX_LINES:])


def failure_reason(lines: Iterable[str]) -> str:
    """Return the last failure reason in App Runner's log of a deployment, or an empty string."""
    reasons = [match[1].rstrip(". ") for line in lines if (match := _FAILURE_REASON.search(line))]
    return reasons[-1] if reasons else ""


def _sanitize_line(line: str) -> str:
    text = _ESCAPE_SEQUENCE.sub("", line.expandtabs(4)).rstrip()
    sanitized = printable(text)
    return sanitized if len(sanitized) <= MAX_COLUMNS else f"{sanitized[: MAX_COLUMNS - 2]} …"
