"""Log lines can contain anything."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.log_excerpt import MAX_COLUMNS, failure_reason, sanitize_tail


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
def test_shows_nothing_that_a_terminal_would_obey(said: str, shown: tuple[str, ...]) -> None:
    """What a line is for stays readable."""
    assert sanitize_tail([said]) == shown


def test_shows_the_last_lines_only() -> None:
    """The end says why."""
    assert sanitize_tail(map(str, range(100)), limit=3) == ("97", "98", "99")


def test_cuts_endless_lines() -> None:
    """A minified page in one line does not fill the screen."""
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
def test_finds_the_reason_that_the_platform_gives(lines: tuple[str, ...], why: str) -> None:
    """It stands in the log and nowhere else: operations have no field for it."""
    assert failure_reason(lines) == why
