"""Messages of release commits and tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.release_message import MAX_LINE_LENGTH, plain_notes, render_message

VALUES = {"version": "1.2.3", "tag": "v1.2.3", "app": "web", "notes": "Fixed\n\n- a"}


@pytest.mark.parametrize(
    ("template", "trailers", "expected"),
    [
        ("Release {tag}", (), "Release v1.2.3\n"),
        ("chore(release): {version}\n\n{notes}\n", (), "chore(release): 1.2.3\n\nFixed\n\n- a\n"),
        ("Release {tag}\n{notes}", (), "Release v1.2.3\n\nFixed\n\n- a\n"),
        ("Release {{{version}}}", (), "Release {1.2.3}\n"),
        ("R {tag}", ("Signed-off-by: S <s@e>",), "R v1.2.3\n\nSigned-off-by: S <s@e>\n"),
        ("fix: {tag}", ("Kaizen-Environment: mark",), "fix: v1.2.3\n\nKaizen-Environment: mark\n"),
        ("R\n\n{notes}", ("K: e", "S: n"), "R\n\nFixed\n\n- a\n\nK: e\nS: n\n"),
        ("R\n\nText.\n\nRefs: A-1\n", ("K: e",), "R\n\nText.\n\nRefs: A-1\nK: e\n"),
        ("R\n\nK: e\n", ("K: e",), "R\n\nK: e\n"),
        ("R\n\nSee below:\nRefs: A-1", ("K: e",), "R\n\nSee below:\nRefs: A-1\n\nK: e\n"),
    ],
)
def test_message_is_the_template_with_trailers_in_its_last_paragraph(
    template: str, trailers: tuple[str, ...], expected: str
) -> None:
    assert render_message(template, VALUES, trailers=trailers) == expected


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
