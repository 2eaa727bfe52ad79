"""The last lines of a log, safe to show on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kaizen_tasks.domain.text.printable import printable

MAX_LINES = 12  # lines of a log that are shown
MAX_COLUMNS = 160  # characters of a line that are shown
MAX_OUTPUT_LINES, MAX_OUTPUT_COLUMNS = 40, 1000  # of a hook or of a server's answer, which has addresses to follow
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Control sequences of terminals (ECMA-48, sections 5.3 and 5.4)."""

_FAILURE_REASON = re.compile(r"Failure reason\s*:\s*(\S.*)")


def sanitize_tail(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the last lines that are not blank, shortened and without control characters."""
    sanitized_lines = (_sanitize_line(piece) for line in lines for piece in line.splitlines())
    return tuple([line for line in sanitized_lines if line][-MAX_LINES:])


def output_tail(text: str) -> tuple[str, ...]:
    """Return the last lines that a program has printed, with its blank lines and without control characters."""
    lines = [sanitize_line(line) for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    left_out = len(lines) - MAX_OUTPUT_LINES
    return (*((f"… {left_out} lines before",) if left_out > 0 else ()), *lines[-MAX_OUTPUT_LINES:])


def sanitize_line(line: str) -> str:
    """Return a line of output without control characters; of a line that was overwritten, what is visible of it."""
    return _sanitize_line(line.rstrip("\r\n").rpartition("\r")[2], MAX_OUTPUT_COLUMNS)


def last_words(lines: Iterable[str]) -> str:
    """Return the last line of an output that has words, or an empty string."""
    return next((line for line in reversed(output_tail("\n".join(lines))) if re.search(r"\w", line)), "").strip()


def failure_reason(lines: Iterable[str]) -> str:
    """Return the last failure reason in App Runner's log of a deployment, or an empty string."""
    reasons = [match[1].rstrip(". ") for line in lines if (match := _FAILURE_REASON.search(line))]
    return reasons[-1] if reasons else ""


def _sanitize_line(line: str, max_columns: int = MAX_COLUMNS) -> str:
    text = _ESCAPE_SEQUENCE.sub("", line.expandtabs(4)).rstrip()
    sanitized = printable(text)
    return sanitized if len(sanitized) <= max_columns else f"{sanitized[: max_columns - 2]} …"
