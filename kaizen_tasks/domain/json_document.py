"""The document that holds a runtime configuration: a JSON object, of which all stays as it is but what is set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Self

from attrs import field, frozen

NUMBERS = {
    "number": re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII),
    "integer": re.compile(r"-?(0|[1-9]\d*)", re.ASCII),
}
"""As JSON writes them (RFC 8259, section 6): `nan` and `.5` are none."""

BLANK = re.compile(r"[ \t\r\n]*")


@frozen
class Configuration:
    """A document as it was written: each value's own JSON text, so that what is not changed stays as it is."""

    _members: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a document.

        Raises:
            ValueError: it is not a JSON object; the message repeats nothing of it.
        """
        try:
            is_object = isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise ValueError("it is not a JSON object") from None
        return cls(dict(_members(text)))

    @classmethod
    def empty(cls) -> Self:
        """Return the document that says nothing."""
        return cls({})

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in the order of the document."""
        return tuple(self._members)

    def value(self, name: str) -> str | None:
        """Return a value as the app reads it: text as it is, anything else as JSON; None when there is none."""
        written = self._members.get(name)
        if written is None:
            return None
        value = json.loads(written)
        return value if isinstance(value, str) else written

    def replaced(self, values: Mapping[str, str]) -> Configuration:
        """Return the document with other values.

        What is a number today stays one, and what is text stays text: the app may read either with code of its own.
        """
        return Configuration({**self._members, **{name: self._written(name, text) for name, text in values.items()}})

    def _written(self, name: str, text: str) -> str:
        was_number = NUMBERS["number"].fullmatch(self._members.get(name, ""))
        return text if was_number and NUMBERS["number"].fullmatch(text) else json.dumps(text, ensure_ascii=False)

    @property
    def text(self) -> str:
        """The document as JSON."""
        members = (f"{json.dumps(name, ensure_ascii=False)}: {each}" for name, each in self._members.items())
        return f"{{{', '.join(members)}}}"


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Take a JSON object apart; it is known to be one."""
    decoder = json.JSONDecoder()
    at = _skipped(text, _skipped(text, 0) + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        start = _skipped(text, _skipped(text, at) + 1)
        _, end = decoder.raw_decode(text, start)
        yield name, text[start:end]
        at = _skipped(text, end)
        if text[at] == ",":
            at = _skipped(text, at + 1)


def _skipped(text: str, at: int) -> int:
    blank = BLANK.match(text, at)
    assert blank is not None
    return blank.end()
