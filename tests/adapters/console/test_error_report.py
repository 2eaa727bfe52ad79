"""An error on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest

from kaizen_tasks.adapters.console.error_report import render_error


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return True


@pytest.fixture(autouse=True)
def _narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "40", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


def render(label: str = "error: ") -> str:
    """Render an error with all its parts."""
    problem = "prod is protected, and there is no terminal to confirm on"
    return render_error(label, (problem,), "nothing has been changed", "confirm with --yes", stream=Terminal())


def test_label_and_message_are_red_and_the_hint_is_bold() -> None:
    lines = render().splitlines()

    assert lines[0].startswith("\x1b[1;31merror: \x1b[0m\x1b[31mprod is protected")
    assert lines[1].startswith("\x1b[31m  no terminal")
    assert lines[2:] == ["nothing has been changed", "\x1b[1mconfirm with --yes\x1b[0m"]


def test_interruption_is_no_error() -> None:
    assert render(label="").startswith("\x1b[33mprod is protected")


def test_no_colour_means_no_escape_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert render().splitlines() == [
        "error: prod is protected, and there is",
        "  no terminal to confirm on",
        "nothing has been changed",
        "confirm with --yes",
    ]
