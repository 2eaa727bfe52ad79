"""Renders an error for a terminal: in colour, each part on lines of its own that are wrapped at words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from rich.text import Text

from kaizen_tasks.adapters.console.layout.wrapped_text import wrap_words
from kaizen_tasks.adapters.console.safe_console import SafeConsole


def render_error(label: str, problems: Sequence[str], state: str, hint: str, *, stream: IO[str]) -> str:
    """Return an error as it is shown on a terminal, without a line end.

    Args:
        label: the word before each problem: `error: `; empty for an interruption.
        problems: what went wrong, each on one line.
        state: what state things are in; may be empty.
        hint: what to do next; may be empty.
        stream: the terminal, whose width and colours are used.
    """
    console = SafeConsole(stream)
    parts = (
        *((label, problem, "red" if label else "yellow") for problem in problems),
        ("", state, ""),
        ("", hint, "bold"),
    )
    with console.capture() as capture:
        for first_word, text, style in parts:
            for line in wrap_words(f"{first_word}{text}", console.width) if text else ():
                styled = Text(line, style)
                styled.highlight_words([first_word], f"bold {style}") if first_word else None
                console.print(styled, soft_wrap=True)
    return capture.get().rstrip("\n")
