"""The text of an error, in a pipe and on a terminal."""

from __future__ import annotations

import pytest

from kaizen_tasks.cli.error_text import text_of_output
from tests.support.screen import Screen

PRINTED = [
    "error: build: no Dockerfile\nnothing has been changed\nwrite one",
    "error: build: no Dockerfile\nwrite one",
    "error: one\nerror: two\nstate\nhint",
    "error: alone",
]


@pytest.mark.parametrize("printed", [*PRINTED, "a warning\nerror: one\nstate\nhint", "Traceback", ""])
def test_error_of_another_command_stays_as_it_is_in_a_pipe(printed: str) -> None:
    assert text_of_output(printed) == printed


@pytest.mark.parametrize("printed", PRINTED)
def test_error_of_another_command_has_colour_on_a_terminal(printed: str) -> None:
    screen = Screen(80, 24)

    with screen.as_output():
        text = text_of_output(printed)
        screen.write(text)

    assert text.startswith("\x1b[1;31merror: ")
    assert screen.lines == printed.splitlines()
