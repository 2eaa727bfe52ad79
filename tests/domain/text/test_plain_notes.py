"""Notes as text for messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.text.plain_notes import MAX_LINE_LENGTH, plain_notes


def test_notes_have_headings_without_number_signs() -> None:
    assert plain_notes("### Fixed\n\n- a #12\n\n#### Core ##\n\n```sh\n# comment\n```\n") == (
        "Fixed\n\n- a #12\n\nCore\n\n```sh\n# comment\n```"
    )


def test_long_entries_continue_below_their_text() -> None:
    first, second = plain_notes(f"- {'word ' * 21}https://example.com/{'x' * 100}").split("\n")[:2]

    assert len(first) <= MAX_LINE_LENGTH
    assert second.startswith("  ")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])), max_size=5))
def test_notes_keep_every_word(lines: list[str]) -> None:
    text = "\n".join(f"- {line}" for line in lines)

    assert plain_notes(text).split() == text.strip().split()
