"""Excerpts of logs, which can contain anything."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.log_excerpt import MAX_COLUMNS, MAX_LINES, failure_reason, output_tail, sanitize_tail


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", ("plain",)),
        ("\x1b[31mred\x1b[0m", ("red",)),
        ("\x1b]0;owned\x07title", ("title",)),
        ("\x1b]8;;http://evil\x1b\\link", ("link",)),
        ("clear\x1b[2J\x1b[H", ("clear",)),
        ("bell\x07 back\x08", ("bell? back?",)),
        ("right\u202eleft", ("right?left",)),
        ("lone\x1b", ("lone?",)),
        ("one\ntwo\r\nthree\x0bfour", ("one", "two", "three", "four")),
        ("over\rwritten", ("over", "written")),
        ("tab\tbed", ("tab bed",)),
        ("\x9b31mC1", ("?31mC1",)),
        ("\ud800 surrogate", ("? surrogate",)),
        ("   \x1b[0m ", ()),
    ],
)
def test_log_lines_have_no_control_characters(said: str, shown: tuple[str, ...]) -> None:
    assert sanitize_tail([said]) == shown


def test_only_the_last_log_lines_are_kept() -> None:
    assert sanitize_tail(map(str, range(100))) == tuple(map(str, range(100 - MAX_LINES, 100)))


def test_long_log_lines_are_shortened() -> None:
    (line,) = sanitize_tail(["x" * 100_000])

    assert len(line) == MAX_COLUMNS
    assert line.endswith(" …")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), ""),
        (
            ("[AppRunner] Deployment with ID : 6c7e failed. Failure reason : Health check failed.",),
            "Health check failed",
        ),
        (("Failure reason: one", "Failure reason : two.", "the end"), "two"),
        (("Failure reason : ",), ""),
    ],
)
def test_failure_reason_is_read_from_the_log(lines: tuple[str, ...], why: str) -> None:
    """Operations have no field for it."""
    assert failure_reason(lines) == why


def test_output_keeps_blank_lines_boxes_and_indentation() -> None:
    text = "\n\x1b[31m╭── 🥊 lefthook ──╮\x1b[0m\n\n  lint: failed\r\n\n"

    assert output_tail(text) == ("╭── 🥊 lefthook ──╮", "", "  lint: failed")


def test_output_shows_the_end_of_overwritten_lines_and_no_control_characters() -> None:
    assert output_tail("10%\r100% done\n\x1b]0;title\x07\x08end\n") == ("100% done", "?end")


def test_long_output_says_how_many_lines_are_left_out() -> None:
    lines = output_tail("\n".join(map(str, range(45))))

    assert (lines[0], lines[1], len(lines)) == ("… 5 lines before", "5", 41)
    assert output_tail("") == ()
