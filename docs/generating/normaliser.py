"""Replaces what differs from run to run by fixed values: times, hashes, ports, names of people and folders."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, evolve, field

if TYPE_CHECKING:
    from docs.generating.session import Recording

DAY = "2026-01-31"
SPAN = timedelta(days=90)
"""How far `metrics` and the dashboard look back."""

SPAN_BEGIN = "2025-11-02"
MONDAY = "2026-01-26"
ACTOR = "sam@laptop"
NOT_HASHES = ("123456789012", "210987654321", "555555555555")
"""Numbers that look like hashes: accounts, and the end of `OPERATION`."""
FIRST_PORT = 40001
DURATION = r"(?:\d+m )?\d+(?:\.\d+)?s"

REPLACEMENTS = (
    (re.compile(r"^(?:\d\d:\d\d:\d\dZ)?  … .*\n", re.MULTILINE), ""),
    (re.compile(r"^\d\d:\d\d:\d\dZ", re.MULTILINE), "09:00:00Z"),
    (re.compile(rf"\({DURATION}\)"), "(0.5s)"),
    (re.compile(rf"\b(?:(?:{DURATION}|\d+[mhd]) ago|just now)\b"), "2.0s ago"),
    (re.compile(rf"\bafter {DURATION}$", re.MULTILINE), "after 1.0s"),
    (re.compile(r'("(?:took|seconds)": )\d+\.\d+'), r"\g<1>0.5"),
    (re.compile(r"^  time  .*$", re.MULTILINE), "  time  deploy staging 0.5s, verify staging 0.5s"),
    (re.compile(rf"\bin {DURATION}\.$", re.MULTILINE), "in 12s."),
    (re.compile(r'(\bpid |"pid": )\d+'), r"\g<1>4321"),
    (re.compile(rf"({DAY}|{SPAN_BEGIN})T[\d:.]+\+00:00"), r"\1T09:00:00.000000+00:00"),
    (re.compile(rf"({DAY}|{DAY[5:]}|{SPAN_BEGIN}) \d\d:\d\d\b"), r"\1 09:00"),
    (re.compile(rf"\); {DAY} 09:00 \("), ", "),  # stages that were first recorded in different minutes
    (re.compile(r"\b[\d,]+( files and refs\b)"), r"124\1"),
    (re.compile(r'("unchanged": )\d+'), r"\g<1>124"),
    (re.compile(r'("AWS_ACCESS_KEY_ID": )"LOCAL\w{15}"'), r'\g<1>"LOCAL0123456789ABCDE"'),
    (re.compile(r'("AWS_SECRET_ACCESS_KEY": )"[\w-]{40}"'), r'\g<1>"random-for-each-local-cloud-and-secret-0"'),
)
"""Patterns and their fixed values. The number of progress lines, and which steps of a rehearsal are timed, depend on
the speed of the machine; the number of git's object folders depends on the hashes."""

WEEK = re.compile(r'("begin": ")\d{4}-\d\d-\d\d(?=")')
HASH = re.compile(r"\b[0-9a-f]{10,64}\b")
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
OPERATION = "11111111-2222-3333-4444-555555555555"
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")
ACTOR_PATTERN = re.compile(r"\bsam@[\w.-]+")
HASH_COLUMNS = ("digest", "commit")
DURATION_COLUMNS = ("took",)
SHORT_HASH = re.compile(r"[0-9a-f]{7}")
TABLE = re.compile(r"\0(\d+)\0")
"""The mark in place of a table."""

RULE = re.compile(r" *─+ *")
COLUMN = re.compile(r"\S+(?: \S+)*")


@define
class Normaliser:
    """Replaces equal values by equal values in all recordings.

    Attributes:
        home: the folder that is shown as `~`.
        today: when the recordings began, in UTC; the next day is shown as the same day.
    """

    home: Path
    today: datetime = field(factory=lambda: datetime.now(UTC))
    _hashes: dict[str, str] = field(factory=dict, init=False)
    _ports: dict[str, str] = field(factory=dict, init=False)

    def recording(self, recording: Recording) -> Recording:
        """Return a recording as every run would make it."""
        line, output, document = map(self.text, (recording.line, recording.output, recording.document))
        return evolve(recording, line=line, output=output, document=document)

    def text(self, text: str) -> str:
        """Return a text as every run would print it."""
        text, tables = self._take_tables(self._days(text.replace(str(self.home), "~")))
        return TABLE.sub(lambda match: tables[int(match[1])], self._values(text))

    def _values(self, text: str) -> str:
        for pattern, replacement in REPLACEMENTS:
            text = pattern.sub(replacement, text)
        text = HASH.sub(self._hash, UUID.sub(OPERATION, text))
        return ACTOR_PATTERN.sub(ACTOR, PORT.sub(self._port, text))

    def _days(self, text: str) -> str:
        text = WEEK.sub(rf"\g<1>{MONDAY}", text)
        for day in (self.today, self.today + timedelta(days=1)):
            text = text.replace(f"{day:%Y-%m-%d}", DAY).replace(f" {day:%m-%d} ", f" {DAY[5:]} ")
            text = text.replace(f"{day - SPAN:%Y-%m-%d}", SPAN_BEGIN)
        return text

    def _hash(self, match: re.Match[str]) -> str:
        """Number hashes in the order of appearance; hashes with the same first seven digits are equal."""
        digits = match[0]
        if digits in NOT_HASHES:
            return digits
        replacement = self._hashes.setdefault(digits[:7], hashlib.sha256(str(len(self._hashes)).encode()).hexdigest())
        return replacement[: len(digits)]

    def _port(self, match: re.Match[str]) -> str:
        return self._ports.setdefault(match[0], str(FIRST_PORT + len(self._ports)))

    def _take_tables(self, text: str) -> tuple[str, list[str]]:
        """Return a text with a mark in place of each table, and the tables, as every run would print them."""
        lines, tables = [line.rstrip() for line in text.strip("\n").splitlines()], list[str]()
        rules = [number for number, line in enumerate(lines) if number and RULE.fullmatch(line)]
        for rule in reversed(rules):
            end = next((number for number in range(rule, len(lines)) if not lines[number]), len(lines))
            table = self._table(lines[rule - 1], lines[rule + 1 : end])
            lines[rule - 1 : end] = [f"\0{len(tables)}\0"]
            tables.append("\n".join(table))
        return "\n".join(lines), tables

    def _table(self, head: str, lines: list[str]) -> list[str]:
        """Return a table whose columns are as wide as their cells; the reason below a row, for one, has no columns."""
        starts = [column.start() for column in COLUMN.finditer(head)]
        if any(line[: starts[0]].strip() for line in lines):
            starts.insert(0, 0)  # the marks at the beginning of rows have no heading
        rows = {number: self._cells(line, starts) for number, line in enumerate(lines) if _has_columns(line, starts)}
        titles = _split(head, starts)
        for position, title in enumerate(titles):
            for cells in rows.values():
                if title in HASH_COLUMNS:
                    cells[position] = SHORT_HASH.sub(self._hash, cells[position])
                elif title in DURATION_COLUMNS:
                    cells[position] = re.sub(DURATION, "1.0s", cells[position])
        widths = [max(map(len, column)) for column in zip(titles, *rows.values(), strict=True)]
        out = [
            _row(rows[number], widths) if number in rows else self._values(line) for number, line in enumerate(lines)
        ]
        return [_row(titles, widths), " " + "─" * (sum(widths) + 3 * (len(widths) - 1)), *out]

    def _cells(self, line: str, starts: list[int]) -> list[str]:
        """Return the cells of a row as every run would print them."""
        return [self._values(cell) for cell in _split(line, starts)]


def _has_columns(line: str, starts: list[int]) -> bool:
    """Return whether a line has blanks where its columns begin."""
    return all(not line[start - 2 : start].strip() for start in starts if start)


def _split(line: str, starts: list[int]) -> list[str]:
    return [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _row(cells: list[str], widths: list[int]) -> str:
    return " " + "   ".join(map(str.ljust, cells, widths)).rstrip()
