"""Splitting operands into words, and replacing variables in them."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.dockerfile.words import expand, expand_words, split_words

VARIABLES = {"A": "one", "EMPTY": "", "PATHS": "a.b.c", "TWO": "x y"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ("a", "b", "c")),
        ("A=\"b c\" D='e f'", ('A="b c"', "D='e f'")),
        (r"a\ b c", (r"a\ b", "c")),
        ("""a"b 'c" d""", ("""a"b 'c\"""", "d")),
        (r"'a\' b", (r"'a\'", "b")),
        ("", ()),
    ],
)
def test_words_end_at_blanks_outside_quotes(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text, "\\") == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A ${A} $Ab $", "one one  $"),
        ("'$A' \"$A\"", "$A one"),
        (r"\$A \"$A\" \\", '$A "one" \\'),
        (r'"\$A \" \x"', r'$A " \x'),
        ("${A:-b} ${B:-b} ${EMPTY:-b} ${EMPTY-b} ${B-b}", "one b b  b"),
        ("${A:+b} ${B:+b} ${EMPTY:+b} ${EMPTY+b} ${B+b}", "b   b "),
        ("${A:?wrong} ${B:?wrong}", "one "),
        ("${B:-${C:-$A}}", "one"),
        ("${PATHS#*.} ${PATHS##*.} ${PATHS%.*} ${PATHS%%.*}", "b.c c a.b a"),
        ("${PATHS/./-} ${PATHS//./-}", "a-b.c a-b-c"),
        (r"${PATHS#a\.}", "b.c"),
        ("${B", ""),
        ("'open", "open"),
    ],
)
def test_variables_are_replaced_as_in_buildkit(text: str, expected: str) -> None:
    assert expand(text, VARIABLES, "\\") == expected


def test_backslash_is_an_ordinary_character_with_another_escape() -> None:
    assert expand(r"C:\$A `$A", VARIABLES, "`") == r"C:\one $A"


def test_value_with_blanks_becomes_several_words_unless_it_is_quoted() -> None:
    assert expand_words('$TWO "$TWO"', VARIABLES, "\\") == ("x", "y", "x y")
