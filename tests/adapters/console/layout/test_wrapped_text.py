"""Lines that are wrapped between words."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.console.layout.wrapped_text import hanging_lines, wrap_words


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("one two three four five", ["one two three", "  four five"]),
        ("averyveryverylongword that follows", ["averyveryverylongword", "  that follows"]),
        ("see averyveryverylongword that follows", ["see averyveryverylongword", "  that follows"]),
        ("log is /var/coach.log", ["log is", "  /var/coach.log"]),
        ("log: /var/log/coach.l", ["log:", "/var/log/coach.l"]),
        ("all: ~/logs/web.log, now", ["all:", "~/logs/web.log,", "  now"]),
        ("see https://example.org/releases", ["see https://example.org/releases"]),
        ("try this again: inv status", ["try this again:", "  inv status"]),
        ("done; next: inv tag", ["done;", "  next: inv tag"]),
        ("so: inv hold.add --env prod --reason x", ["so:", "  inv hold.add --env prod --reason x"]),
        ("fix: git add A && git commit -m 'a; b'; then", ["fix:", "  git add A && git commit -m 'a; b';", "  then"]),
        ("run it: /app/.venv/bin/inv demo", ["run it:", "  /app/.venv/bin/inv demo"]),
        ("try git fetch and look at the log", ["try git fetch", "  and look at", "  the log"]),
        ("or so: unset AWS_ENDPOINT_URL", ["or so:", "  unset AWS_ENDPOINT_URL"]),
        ("git is missing on this machine", ["git is missing", "  on this", "  machine"]),
        ("unset AWS_ENDPOINT_URL AWS_REGION  # or", ["unset AWS_ENDPOINT_URL AWS_REGION  # or"]),
        (". /tmp/cloud/environ  # points at it", [". /tmp/cloud/environ  # points at it"]),
        ("  an indented line of text", ["  an indented", "    line of text"]),
        ("漢字漢字 漢字漢字 漢字", ["漢字漢字", "  漢字漢字 漢字"]),
    ],
)
def test_text_is_wrapped_between_words_and_a_command_stays_whole(text: str, lines: list[str]) -> None:
    assert list(wrap_words(text, 16)) == lines


def test_text_beside_a_label_continues_below_itself() -> None:
    assert list(hanging_lines("  ok  ", "all of it is right here", 16)) == [
        "  ok  all of it",
        "      is right",
        "      here",
    ]


def test_command_that_is_too_long_beside_a_label_begins_further_left() -> None:
    assert list(hanging_lines("  label  ", "do: git push", 15)) == ["  label  do:", "       git push"]
