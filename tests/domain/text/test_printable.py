"""Text from outside that reaches terminals, logs and JSON documents."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.text.printable import disarm_commands, escape_json, printable, printable_lines

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("naïve 日本 👩‍🚀 می‌خواهم\xa0x", "naïve 日本 👩‍🚀 می‌خواهم\xa0x"),
        ("\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mtrue", "red true"),
        ("\x1b[2J\x1b[H", "?[2J?[H"),
        ("\x1b]0;title\x07", "?]0;title?"),
        ("\x1b]8;;https://evil\x1b\\click\x1b]8;;\x1b\\", "?]8;;https://evil?\\click?]8;;?\\"),
        ("\x9b31m\x9d0;t\x9c", "?31m?0;t?"),
        ("safe\u202egnp.exe\u2066\u200f", "safe?gnp.exe??"),
        ("a\u200bb\ufeffc\U000e0041", "a?b?c?"),
        ("bell\x07back\x08del\x7f", "bell?back?del?"),
        ("a\U000e0100", "a?"),
        ("\udc80", "?"),
        ("one\r\n::error::two\u2028three\x85four", "one??::error::two?three?four"),
    ],
)
def test_one_line_that_no_terminal_obeys(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_lines_keep_line_feeds_and_tabs() -> None:
    assert printable_lines("a\tb\r\nc\rd\x1b[1m\n\x1b[A") == "a\tb\nc?d\n?[A"


def test_nothing_is_left_that_ends_a_line_or_changes_the_direction() -> None:
    every_character = "".join(map(chr, range(sys.maxunicode + 1)))
    left = set(printable(every_character))

    assert {name for name in map(unicodedata.category, left) if name in {"Cc", "Cs", "Zl", "Zp"}} == set()
    assert {name for name in map(unicodedata.bidirectional, left) if name in DIRECTIONS} == set()
    assert {"\u200c", "\u200d", "\ufe0f", "\u3000", "\ue0b0"} <= left


@given(st.recursive(st.text(), st.lists))
def test_escaped_json_is_the_same_document(document: object) -> None:
    escaped = escape_json(json.dumps(document, ensure_ascii=False, indent=2))

    assert json.loads(escaped) == document
    assert printable_lines(escaped) == escaped


def test_escaped_json_keeps_what_people_read() -> None:
    assert escape_json('"日本 \x7f\x9b\u202e\U000e0041\udc80"') == '"日本 \\u007f\\u009b\\u202e\\udb40\\udc41\\udc80"'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a plain line :: with colons, ## and #[1]", "a plain line :: with colons, ## and #[1]"),
        ("::add-mask::x", ": :add-mask::x"),
        ("  ::error file=a::b", "  : :error file=a::b"),
        (
            "the app answers ##[group]x and ##vso[task.complete]",
            "the app answers # #[group]x and # #vso[task.complete]",
        ),
        ("", ""),
    ],
)
def test_no_line_of_a_log_is_a_command_to_a_ci_service(line: str, expected: str) -> None:
    assert disarm_commands(line) == expected


def test_no_json_is_a_command_to_a_ci_service() -> None:
    document = {"reason": "##[add-mask]x ##vso[y] ## [z]"}

    escaped = escape_json(json.dumps(document))

    assert json.loads(escaped) == document
    assert "##[" not in escaped
    assert "##vso[" not in escaped
    assert "## [z]" in escaped
