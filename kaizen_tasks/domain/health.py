"""What the running app's answers prove of its version."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import field, frozen

LONGEST = 64
"""Characters that are kept of what the app says; no version and no environment is longer."""


@frozen(kw_only=True)
class Question:
    """How an address is asked.

    Attributes:
        method: of HTTP.
        headers: beside those that every question has; they prevail.
        body: what is sent along.
    """

    method: str = "GET"
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@frozen(kw_only=True)
class Answer:
    """What an address answered.

    Attributes:
        status: HTTP status, or 0 when there was no answer.
        body: at most the number of bytes that was asked for.
        fault: why there is no usable answer, or empty.
        headers: by name in lower case; two answers are the same whatever the date in them says.
    """

    status: int = 0
    body: bytes = b""
    fault: str = ""
    headers: Mapping[str, str] = field(factory=dict, eq=False)


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


@frozen(kw_only=True)
class Heard:
    """What an app has answered so far.

    Attributes:
        right: how many answers in a row were right, up to the last one.
        lost: how often a right answer was followed by another.
        last: the last answer.
    """

    right: int = 0
    lost: int = 0
    last: Running = Running(fault="was not asked in time")

    def add(self, answer: Running, *, right: bool) -> Heard:
        """Return what has been heard after one more answer; a wrong one begins the count anew."""
        lost = self.lost + (1 if self.right and not right else 0)
        return Heard(right=self.right + 1 if right else 0, lost=lost, last=answer)

    def lacking(self, wanted: Running, matches: int) -> str:
        """Say in words why this is no proof.

        Args:
            wanted: the right answer.
            matches: how many of them in a row would be a proof.
        """
        if self.lost:
            times = "once" if self.lost == 1 else f"{self.lost} times"
            return f"flaps: {wanted.version} in {wanted.environment} came and went {times}; at last it {self.last}"
        if self.right:
            return f"{wanted}, but only {self.right} of {matches} times in a row"
        return f"{self.last}, not {wanted.version} in {wanted.environment}"


def understand(answer: Answer) -> Running:
    """Read `{"version": "v1.2.3", "environment": "staging"}` out of an answer; say what is wrong with any other."""
    if answer.fault:
        return Running(fault=answer.fault)
    if answer.status != 200:
        return Running(fault=f"answers HTTP {answer.status}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Running(fault=f"answers {kind(answer.body)}, not JSON")
    if not isinstance(said, dict) or not isinstance(said.get("version"), str):
        return Running(fault='answers JSON without a "version"')
    environment = said.get("environment")
    return Running(
        version=printable(said["version"]),
        environment=printable(environment) if isinstance(environment, str) else "",
    )


def printable(text: str) -> str:
    """Return what may be shown on a terminal: without control characters, which it would obey, and not endless."""
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST])


def kind(body: bytes) -> str:
    """Say of a body that is not what it should be what it looks like."""
    start = body.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html")) else "something"
