"""Files with lines NAME=value. The values are those of python-dotenv without interpolation."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.dotenv import parse_dotenv


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("\n# comment\n  export A = b c  # comment\n", "b c"),
        ("A=b#c", "b#c"),
        ("A='$b \\n # c' # comment", "$b \\n # c"),
        ('A="b\\n\\"c\\"\nd"', 'b\n"c"\nd'),
        ("A=\r\nB=1\r\n", ""),
        ("A=1\nA=2", "2"),
        ("\ufeffA=ünï", "ünï"),
    ],
)
def test_values(text: str, value: str) -> None:
    assert parse_dotenv(text)["A"] == value


@pytest.mark.parametrize(("text", "line"), [("A=1\n\nsecret words\n", 3), ("A='secret\n", 1), ('A="b" secret', 1)])
def test_a_line_that_is_no_assignment_is_named_and_not_quoted(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=f"line {line}$") as failure:
        parse_dotenv(text)

    assert "secret" not in str(failure.value)
