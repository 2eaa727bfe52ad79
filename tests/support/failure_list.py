"""Lists what has failed in `.ci/run`, in less than the last 6,000 characters of its output.

Tests write their failures to the file that `KAIZEN_TEST_FAILURES` names, one JSON object a line; nox names its sessions
in the output. Uses the standard library alone: `python3 -m tests.support.failure_list OUTPUT FAILURES`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

VARIABLE = "KAIZEN_TEST_FAILURES"
MAX_CHARACTERS = 5000
MAX_WIDTH = 200
TEST_LINES = 4
SESSION_LINES = 8
FAILED_SESSION = re.compile(r"^nox > \* (?P<name>\S+): (?:failed|aborted)")
END_OF_SESSION = re.compile(r"^nox > Session (?P<name>\S+) (?P<result>failed|aborted|interrupted|was|skipped)")
START_OF_SESSION = re.compile(r"^nox > Running session (?P<name>\S+)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def record_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Append a test or a module that failed to the file, if there is one; workers leave that to their controller."""
    path = os.environ.get(VARIABLE)
    if path is None or not report.failed or "PYTEST_XDIST_WORKER" in os.environ:
        return
    failure = {
        "test": report.nodeid,
        "session": os.environ.get("NOX_CURRENT_SESSION", "pytest"),
        "lines": error_lines(report.longreprtext),
    }
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(failure)}\n")


def error_lines(text: str) -> list[str]:
    """Return the first line and the last ones of the error of a failed test, and where it was raised."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return [*errors[:1], *errors[1:][-2:], *lines[-1:]] if errors else lines[-TEST_LINES:]


def failure_list(output: str, failures: str) -> str:
    """Return the failed sessions and tests, each test once, or the end of the output if neither failed."""
    lines = COLOURS.sub("", output).splitlines()
    sessions = dict.fromkeys(match["name"] for line in lines if (match := FAILED_SESSION.match(line)))
    tests = _failures_by_test(failures)
    with_tests = {session for test in tests.values() for session in test[0]}
    items = [[f"failed sessions: {', '.join(sessions)}"]] if sessions else []
    items += [_item(f"{test} ({', '.join(names)})", errors) for test, (names, errors) in tests.items()]
    items += [_item(name, _last_lines(lines, name)) for name in sessions if name not in with_tests]
    return _shortened(items or [_item("the end of the output", lines[-SESSION_LINES:])])


def _failures_by_test(failures: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return the sessions in which a test failed, and the end of its first error."""
    tests: dict[str, tuple[list[str], list[str]]] = {}
    for failure in map(json.loads, failures.splitlines()):
        tests.setdefault(failure["test"], ([], failure["lines"]))[0].append(failure["session"])
    return tests


def _last_lines(lines: list[str], session: str) -> list[str]:
    """Return the end of what a session has printed before nox says that it failed."""
    found: list[str] = []
    inside = False
    for line in lines:
        if match := START_OF_SESSION.match(line):
            inside = match["name"] == session
        elif inside and END_OF_SESSION.match(line):
            return found[-SESSION_LINES:]
        elif inside and line.strip():
            found.append(line)
    return found[-SESSION_LINES:]


def _item(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"    {line}" for line in lines)]


def _shortened(items: list[list[str]]) -> str:
    """Return the items with as many of their lines as there is room for, at least the names."""
    for size in (1 + SESSION_LINES, 2, 1):
        parts = ["".join(f"{line[:MAX_WIDTH]}\n" for line in item[:size]) for item in items]
        if sum(map(len, parts)) <= MAX_CHARACTERS:
            return "".join(parts)
    lengths = itertools.accumulate(map(len, parts))
    count = sum(length <= MAX_CHARACTERS for length in lengths)
    return f"{''.join(parts[:count])}… and {len(parts) - count} more\n"


def main(output: str, failures: str) -> None:
    """Print the list."""
    contents = (Path(path).read_text(encoding="utf-8", errors="replace") for path in (output, failures))
    sys.stdout.write(failure_list(*contents))


if __name__ == "__main__":
    main(*sys.argv[1:])
