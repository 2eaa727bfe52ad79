"""Text from outside that is shown on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with control characters, which a terminal would obey, replaced by question marks."""
    return "".join(character if character.isprintable() else "?" for character in text)
