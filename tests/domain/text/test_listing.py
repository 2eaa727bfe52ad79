"""Names in a sentence."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.listing import list_names


@pytest.mark.parametrize(("names", "expected"), [("a", "a"), ("abc", "a, b, c"), ("abcde", "a, b, c and 2 more")])
def test_first_names_are_listed_and_the_others_counted(names: str, expected: str) -> None:
    assert list_names(tuple(names)) == expected
