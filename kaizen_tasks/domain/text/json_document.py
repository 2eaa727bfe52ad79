"""Runtime configuration documents: JSON objects whose unchanged members are not reformatted by an edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Self

from attrs import field, frozen

NUMBER_PATTERNS = {
    "number": re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII),
    "integer": re.compile(r"-?(0|[1-9]\d*)", re.ASCII),
}
"""JSON numbers (RFC 8259, section 6), which exclude `nan` and `.5`."""

JSON_WHITESPACE = re.compile(r"[ \t\r\n]*")


@frozen
class ConfigDocument:
    """A JSON object, stored as the JSON text of each member, so that unchanged members keep their text."""

    _raw_values: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the JSON text of a document.

        Raises:
            ValueError: the text is not a JSON object; the message does not quote the text, which may be secret.
        """
        try:
            is_object = isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise ValueError("it is not a JSON object") from None
        return cls(dict(_parse_members(text)))

    @classmethod
    def empty(cls) -> Self:
        """Return the document without members."""
        return cls({})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members, in the order of the document."""
        return tuple(self._raw_values)

    def value(self, name: str) -> str | None:
        """Return a member's value: a string as it is, any other value as JSON text; None for an unknown name."""
        raw_value = self._raw_values.get(name)
        if raw_value is None:
            return None
        value = json.loads(raw_value)
        return value if isinstance(value, str) else raw_value

    def with_values(self, values: Mapping[str, str]) -> ConfigDocument:
        """Return the document with values replaced or added; numbers stay numbers, and strings stay strings."""
        return ConfigDocument({**self._raw_values, **{name: self._encode(name, text) for name, text in values.items()}})

    def _encode(self, name: str, text: str) -> str:
        matches = map(NUMBER_PATTERNS["number"].fullmatch, (self._raw_values.get(name, ""), text))
        return text if all(matches) else json.dumps(text, ensure_ascii=False)

    @property
    def text(self) -> str:
        """The document as JSON text."""
        members = (f"{json.dumps(name, ensure_ascii=False)}: {raw}" for name, raw in self._raw_values.items())
        return f"{{{', '.join(members)}}}"


def _parse_members(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and JSON text of each member of a valid JSON object."""
    decoder = json.JSONDecoder()
    position = _skip_whitespace(text, _skip_whitespace(text, 0) + 1)
    while text[position] != "}":
        name, position = decoder.raw_decode(text, position)
        start = _skip_whitespace(text, _skip_whitespace(text, position) + 1)
        _, end = decoder.raw_decode(text, start)
        yield name, text[start:end]
        position = _skip_whitespace(text, end)
        if text[position] == ",":
            position = _skip_whitespace(text, position + 1)


def _skip_whitespace(text: str, position: int) -> int:
    whitespace = JSON_WHITESPACE.match(text, position)
    assert whitespace is not None
    return whitespace.end()
