"""What the running app's answers prove of its version."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import field, frozen

MAX_REPORTED_LENGTH = 64
"""Characters that are kept of what the app says; no version and no environment is longer."""


@frozen(kw_only=True)
class ProbeRequest:
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
class ProbeResponse:
    """What an address answered.

    Attributes:
        status: HTTP status, or 0 when there was no answer.
        body: at most the number of bytes that was asked for.
        error: why there is no usable answer, or empty.
        headers: by name in lower case; two answers are the same whatever the date in them says.
    """

    status: int = 0
    body: bytes = b""
    error: str = ""
    headers: Mapping[str, str] = field(factory=dict, eq=False)


@frozen(kw_only=True)
class VersionReport:
    """What the app says of itself.

    Attributes:
        version: `v1.2.3`, or empty when it said nothing usable.
        environment: the environment it believes to be, or empty.
        error: why it said nothing usable, or empty.
    """

    version: str = ""
    environment: str = ""
    error: str = ""

    def __str__(self) -> str:
        """Say it in words, for people."""
        if self.error:
            return self.error
        return f"answers {self.version or 'no version'} in {self.environment or 'no environment'}"


@frozen(kw_only=True)
class ProbeTally:
    """What an app has answered so far.

    Attributes:
        streak: how many answers in a row were right, up to the last one.
        resets: how often a right answer was followed by another.
        last_report: the last answer.
    """

    streak: int = 0
    resets: int = 0
    last_report: VersionReport = VersionReport(error="was not asked in time")

    def add(self, report: VersionReport, *, is_match: bool) -> ProbeTally:
        """Return what has been heard after one more answer; a wrong one begins the count anew."""
        resets = self.resets + (1 if self.streak and not is_match else 0)
        return ProbeTally(streak=self.streak + 1 if is_match else 0, resets=resets, last_report=report)

    def explain(self, expected: VersionReport, required_matches: int) -> str:
        """Say in words why this is no proof.

        Args:
            expected: the right answer.
            required_matches: how many of them in a row would be a proof.
        """
        if self.resets:
            times = "once" if self.resets == 1 else f"{self.resets} times"
            return f"flaps: {expected.version} in {expected.environment} came and went {times}; at last it {self.last_report}"
        if self.streak:
            return f"{expected}, but only {self.streak} of {required_matches} times in a row"
        return f"{self.last_report}, not {expected.version} in {expected.environment}"


def parse_version_response(response: ProbeResponse) -> VersionReport:
    """Read `{"version": "v1.2.3", "environment": "staging"}` out of an answer; say what is wrong with any other."""
    if response.error:
        return VersionReport(error=response.error)
    if response.status != 200:
        return VersionReport(error=f"answers HTTP {response.status}")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return VersionReport(error=f"answers {describe_body(response.body)}, not JSON")
    if not isinstance(document, dict) or not isinstance(document.get("version"), str):
        return VersionReport(error='answers JSON without a "version"')
    environment = document.get("environment")
    return VersionReport(
        version=sanitize(document["version"]),
        environment=sanitize(environment) if isinstance(environment, str) else "",
    )


def sanitize(text: str) -> str:
    """Return what may be shown on a terminal: without control characters, which it would obey, and not endless."""
    return "".join(character if character.isprintable() else "?" for character in text[:MAX_REPORTED_LENGTH])


def describe_body(body: bytes) -> str:
    """Say of a body that is not what it should be what it looks like."""
    start = body.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html")) else "something"
