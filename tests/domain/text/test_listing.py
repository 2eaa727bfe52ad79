"""Names and numbers in a sentence."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.listing import counted, list_names


@pytest.mark.parametrize(("names", "expected"), [("a", "a"), ("abc", "a, b, c"), ("abcde", "a, b, c and 2 more")])
def test_first_names_are_listed_and_the_others_counted(names: str, expected: str) -> None:
    assert list_names(tuple(names)) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 checks"), (1, "1 check"), (2, "2 checks")])
def test_a_noun_has_the_form_for_its_number(number: int, expected: str) -> None:
    assert counted(number, "check") == expected
