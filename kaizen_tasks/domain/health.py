"""What the running app's answer to `/version` proves."""

from __future__ import annotations

import json

from attrs import frozen

LONGEST = 64
"""Characters that are kept of what the app says; no version and no environment is longer."""


@frozen(kw_only=True)
class Answer:
    """What an address answered.

    Attributes:
        status: HTTP status, or 0 when there was no answer.
        body: at most the number of bytes that was asked for.
        fault: why there is no usable answer, or empty.
    """

    status: int = 0
    body: bytes = b""
    fault: str = ""


@frozen(kw_only=True)
class Running:
    """What the app says of itself.

    Attributes:
        version: `v1.2.3`, or empty when it said nothing usable.
        environment: the environment it believes to be, or empty.
        fault: why it said nothing usable, or empty.
    """

    version: str = ""
    environment: str = ""
    fault: str = ""

    def __str__(self) -> str:
        """Say it in words, for people."""
        if self.fault:
            return self.fault
        return f"answers {self.version or 'no version'} in {self.environment or 'no environment'}"


def understand(answer: Answer) -> Running:
    """Read `{"version": "v1.2.3", "environment": "staging"}` out of an answer; say what is wrong with any other."""
    if answer.fault:
        return Running(fault=answer.fault)
    if answer.status != 200:
        return Running(fault=f"answers HTTP {answer.status}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Running(fault=f"answers {_kind(answer.body)}, not JSON")
    if not isinstance(said, dict) or not isinstance(said.get("version"), str):
        return Running(fault='answers JSON without a "version"')
    environment = said.get("environment")
    return Running(
        version=_printable(said["version"]),
        environment=_printable(environment) if isinstance(environment, str) else "",
    )


def _printable(text: str) -> str:
    """Return what may be shown on a terminal: without control characters, which it would obey, and not endless."""
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST])


def _kind(body: bytes) -> str:
    start = body.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html")) else "something"
