"""The running app's answers about its version."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import evolve, field, frozen

from kaizen_tasks.domain.cached_response import cache_header
from kaizen_tasks.domain.printable import printable

MAX_REPORTED_LENGTH = 64  # characters of a reported version or environment that are kept


@frozen(kw_only=True)
class ProbeRequest:
    """An HTTP request.

    Attributes:
        method: HTTP method.
        headers: further headers; they override the default ones.
        body: body to send.
        bypass_cache: whether to add a parameter to the query that differs each time, so that no cache has the answer.
    """

    method: str = "GET"
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    bypass_cache: bool = False


@frozen(kw_only=True)
class ProbeResponse:
    """The app's response to a request.

    Attributes:
        status: HTTP status, or 0 when there was no answer.
        body: the body, at most the requested number of bytes.
        error: why there is no usable answer, or empty.
        headers: headers by name in lower case; they are ignored when responses are compared.
    """

    status: int = 0
    body: bytes = b""
    error: str = ""
    headers: Mapping[str, str] = field(factory=dict, eq=False)

    @property
    def cache_error(self) -> str:
        """The header by which the response proves to be from a cache, as an error; empty when it is from the app."""
        header = cache_header(self.headers)
        return f"answers from a cache ({sanitize(header)})" if header else ""


@frozen(kw_only=True)
class VersionReport:
    """What the app reports at `/version`.

    Attributes:
        version: `v1.2.3`, or empty.
        environment: the environment that the app reports, or empty.
        error: why the answer is unusable, or empty.
        is_cached: whether a cache has answered in place of the app, which says nothing about the app.
    """

    version: str = ""
    environment: str = ""
    error: str = ""
    is_cached: bool = False

    def __str__(self) -> str:
        """Return a text such as `answers v1.2.3 in staging`."""
        if self.error:
            return self.error
        return f"answers {self.version or 'no version'} in {self.environment or 'no environment'}"


@frozen(kw_only=True)
class ProbeTally:
    """The answers of an app so far.

    Attributes:
        streak: number of expected answers in a row, up to the last one.
        resets: how often an unexpected answer followed an expected one.
        cached: number of answers in a row that came from a cache, up to the last one.
        last_report: the last answer.
    """

    streak: int = 0
    resets: int = 0
    cached: int = 0
    last_report: VersionReport = VersionReport(error="was not asked in time")

    def add(self, report: VersionReport, *, is_match: bool) -> ProbeTally:
        """Return the tally after one more answer; an unexpected one resets the streak, one from a cache does not."""
        if report.is_cached:
            return evolve(self, cached=self.cached + 1, last_report=report)
        resets = self.resets + (1 if self.streak and not is_match else 0)
        return ProbeTally(streak=self.streak + 1 if is_match else 0, resets=resets, last_report=report)

    def explain(self, expected: VersionReport, required_matches: int) -> str:
        """Return in words why the answers do not verify the version.

        Args:
            expected: the expected answer.
            required_matches: number of expected answers in a row that verify the version.
        """
        expectation = f"{expected.version} in {expected.environment}"
        if self.resets:
            times = "once" if self.resets == 1 else f"{self.resets} times"
            return f"flaps: {expectation} came and went {times}; finally it {self.last_report}"
        if self.streak:
            return f"{expected}, but only {self.streak} of {required_matches} times in a row"
        return f"{self.last_report}; expected {expectation}"


def parse_version_response(response: ProbeResponse) -> VersionReport:
    """Parse `{"version": "v1.2.3", "environment": "staging"}`; the report of any other answer has an error."""
    if response.error:
        return VersionReport(error=response.error)
    if response.cache_error:
        return VersionReport(error=response.cache_error, is_cached=True)
    if response.status != 200:
        return VersionReport(error=f"answers HTTP {response.status}{redirect_target(response)}")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return VersionReport(error=f"answers {describe_body(response.body)}, not JSON")
    if not isinstance(document, dict) or not isinstance(document.get("version"), str):
        return VersionReport(error='answers JSON without a "version"')
    environment = document.get("environment")
    reported_environment = sanitize(environment) if isinstance(environment, str) else ""
    return VersionReport(version=sanitize(document["version"]), environment=reported_environment)


def redirect_target(response: ProbeResponse) -> str:
    """Return ` to URL` for a redirect, without its query, which may hold a token; empty for any other response."""
    location = response.headers.get("location", "") if 300 <= response.status < 400 else ""
    return f" to {sanitize(location.partition('?')[0])}" if location else ""


def sanitize(text: str) -> str:
    """Return the beginning of a text, without control characters."""
    return printable(text[:MAX_REPORTED_LENGTH])


def describe_body(body: bytes) -> str:
    """Return in words what an unexpected body seems to be: nothing, HTML or something."""
    start = body.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html")) else "something"
