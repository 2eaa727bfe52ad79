"""JSON pointers: https://www.rfc-editor.org/rfc/rfc6901."""

from __future__ import annotations

import re
from typing import Any, NewType

OptionalPointer = NewType("OptionalPointer", str)
"""A JSON pointer; empty when there is no value to point to."""


def is_json_pointer(text: str) -> bool:
    """Return whether a text is a JSON pointer, such as `/name/0/name`; an empty text points to the whole document."""
    return re.fullmatch(r"(/([^~]|~[01])*)?", text, re.DOTALL) is not None


def suggest_pointer(text: str) -> str:
    """Return the JSON pointer that a text such as `build.tag` or `$.build.tag` seems to mean."""
    return "/" + text.removeprefix("$").replace("~", "~0").strip("./").replace(".", "/")


def pointer_tokens(pointer: str) -> tuple[str, ...]:
    """Return the names and indexes of a JSON pointer, from the top of the document."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def resolve_pointer(document: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer.

    Raises:
        LookupError: there is no such value.
    """
    for name in pointer_tokens(pointer):
        if isinstance(document, list) and re.fullmatch(r"0|[1-9][0-9]*", name):
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(pointer)
    return document
