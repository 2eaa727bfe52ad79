"""Lines that are wrapped between words."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.console.wrapped_text import wrap_words


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("one two three four five", ["one two three", "  four five"]),
        ("averyveryverylongword that follows", ["averyveryverylongword", "  that follows"]),
        ("see averyveryverylongword that follows", ["see averyveryverylongword", "  that follows"]),
        ("try this again: inv status", ["try this again:", "  inv status"]),
        ("done; next: inv tag", ["done;", "  next: inv tag"]),
        ("so: inv hold.add --env prod --reason x", ["so: inv hold.add", "  --env prod", "  --reason x"]),
        ("  an indented line of text", ["  an indented", "    line of text"]),
        ("漢字漢字 漢字漢字 漢字", ["漢字漢字", "  漢字漢字 漢字"]),
    ],
)
def test_text_is_wrapped_between_words_and_a_command_that_fits_stays_whole(text: str, lines: list[str]) -> None:
    assert list(wrap_words(text, 16)) == lines
