"""The running app's answers about its version."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import evolve, field, frozen

from kaizen_tasks.domain.cached_response import cache_header
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern
from kaizen_tasks.domain.text.json_pointer import resolve_pointer
from kaizen_tasks.domain.text.response_text import MAX_REPORTED_LENGTH, describe_body, sanitize
from kaizen_tasks.domain.version import image_tag, parse_version
from kaizen_tasks.errors import UsageError

SERVER_ERROR_STATUS = 500
"""The lowest HTTP status by which a server says that it could not answer."""


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
        network_remedy: what to correct on this machine or in its network, which kept the request from the app; empty
            if the request reached the app, or failed at the app itself.
        received_status: HTTP status that arrived, also if the rest of the response did not; 0 if none did. It is
            ignored when responses are compared.
    """

    status: int = 0
    body: bytes = b""
    error: str = ""
    headers: Mapping[str, str] = field(factory=dict, eq=False)
    network_remedy: str = ""
    received_status: int = field(default=0, eq=False)

    @property
    def redirect_target(self) -> str:
        """` to URL` for a redirect, without its query, which may hold a token; empty for any other response."""
        location = self.headers.get("location", "") if 300 <= self.status < 400 else ""
        return f" to {sanitize(location.partition('?')[0])}" if location else ""

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
        names_environment: whether answers are expected to name the environment.
        network_remedy: see `ProbeResponse`; such an error says nothing about the app either.
        is_off_topic: whether the answer says nothing of a version: HTTP 403, a redirect, JSON without the configured
            member. The app may be right, and asked in a wrong way.
    """

    version: str = ""
    environment: str = ""
    error: str = ""
    is_cached: bool = False
    names_environment: bool = True
    network_remedy: str = ""
    is_off_topic: bool = False

    def __str__(self) -> str:
        """Return a text such as `answers v1.2.3 in staging`."""
        return self.error or f"answers {self.content}"

    @property
    def is_of_app(self) -> bool:
        """Whether the app itself has answered or failed to, and not a cache or this machine's network."""
        return not self.is_cached and not self.network_remedy

    def refutes(self, expected: VersionReport) -> bool:
        """Return whether the app answers another version or environment, or fails to answer."""
        if self.error or not self.is_of_app:
            return self.is_of_app and not self.is_off_topic
        is_other_environment = bool(self.environment) and not self.is_from(expected.environment)
        return self.version != expected.version or is_other_environment

    @property
    def content(self) -> str:
        """The version and, if it is expected, the environment: `v1.2.3 in staging`."""
        version = self.version or "no version"
        return f"{version} in {self.environment or 'no environment'}" if self.names_environment else version

    def is_from(self, environment: str) -> bool:
        """Return whether the answer names an environment, or is not expected to."""
        return self.environment == environment or not self.names_environment


@frozen(kw_only=True)
class ProbeTally:
    """The answers of an app so far.

    Attributes:
        streak: number of expected answers in a row, up to the last one.
        resets: how often an unexpected answer followed an expected one.
        last_report: the last answer.
        foreign_report: the last answer that is not the app's own, see `VersionReport.is_of_app`; None without any.
        since_foreign: number of answers after that one.
    """

    streak: int = 0
    resets: int = 0
    last_report: VersionReport = VersionReport(error="was not asked in time")
    foreign_report: VersionReport | None = None
    since_foreign: int = 0

    def add(self, report: VersionReport, *, is_match: bool) -> ProbeTally:
        """Return the tally after one more answer; an unexpected one of the app resets the streak."""
        if not report.is_of_app:
            return evolve(self, last_report=report, foreign_report=report, since_foreign=0)
        resets = self.resets + (1 if self.streak and not is_match else 0)
        streak, since_foreign = self.streak + 1 if is_match else 0, self.since_foreign + 1
        return evolve(self, streak=streak, resets=resets, last_report=report, since_foreign=since_foreign)

    def inconclusive_report(self, required_matches: int) -> VersionReport | None:
        """Return which of the last answers is not the app's own, so that the app has not proven to be wrong."""
        return self.foreign_report if self.since_foreign < required_matches else None

    def refutes(self, expected: VersionReport) -> bool:
        """Return whether the answers show that the app is wrong, and not only that it was not proven to be right."""
        return self.resets > 0 or self.last_report.refutes(expected)

    def explain(self, expected: VersionReport, required_matches: int) -> str:
        """Return in words why the answers do not verify the version.

        Args:
            expected: the expected answer.
            required_matches: number of expected answers in a row that verify the version.
        """
        expectation = expected.content
        if self.resets:
            times = "once" if self.resets == 1 else f"{self.resets} times"
            return f"flaps: {expectation} came and went {times}; finally it {self.last_report}"
        if self.streak:
            return f"{expected}, but only {self.streak} of {required_matches} times in a row"
        return f"{self.last_report}; expected {expectation}"


@frozen(kw_only=True)
class VersionFormat:
    """How an app answers with its version.

    Attributes:
        format: `json`, `text` or `auto`.
        version: JSON pointer of the version.
        environment: JSON pointer of the environment; empty when answers do not name it.
        tag_pattern: how git tags are named, since an app may report its version as the tag.
    """

    format: str = "auto"
    version: str = "/version"
    environment: str = "/environment"
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN

    def report(self, version: str, environment: str = "") -> VersionReport:
        """Return the report of an answer; a version of any known form is reported as `v1.2.3`."""
        version = version.strip()
        try:
            version = image_tag(self.tag_pattern.parse(version) or parse_version(version))
        except UsageError:
            version = sanitize(version)
        names_environment = bool(self.environment)
        return VersionReport(version=version, environment=sanitize(environment), names_environment=names_environment)


DEFAULT_VERSION_FORMAT = VersionFormat()


def parse_version_response(response: ProbeResponse, expected: VersionFormat = DEFAULT_VERSION_FORMAT) -> VersionReport:
    """Parse an answer such as `{"version": "v1.2.3", "environment": "staging"}`; a report of any other has an error."""
    if response.error:
        is_off_topic = 0 < response.status < SERVER_ERROR_STATUS
        remedy = response.network_remedy
        return VersionReport(error=response.error, network_remedy=remedy, is_off_topic=is_off_topic)
    if response.cache_error:
        return VersionReport(error=response.cache_error, is_cached=True)
    if response.status != 200:
        error = f"answers HTTP {response.status}{response.redirect_target}"
        return VersionReport(error=error, is_off_topic=response.status < SERVER_ERROR_STATUS)
    return _parse_text(response, expected) if expected.format == "text" else _parse_json(response, expected)


def _parse_json(response: ProbeResponse, expected: VersionFormat) -> VersionReport:
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        if expected.format == "auto" and response.headers.get("content-type", "").startswith("text/plain"):
            return _parse_text(response, expected)
        return VersionReport(error=f"answers {describe_body(response.body)}, not JSON", is_off_topic=True)
    return _parse_document(document, expected)


def _parse_text(response: ProbeResponse, expected: VersionFormat) -> VersionReport:
    text = response.body.decode("utf-8-sig", "replace").strip()
    if not text or len(text) > MAX_REPORTED_LENGTH or len(text.split()) > 1:
        return VersionReport(error=f"answers {describe_body(response.body)}, not a version", is_off_topic=True)
    return expected.report(text)


def _parse_document(document: object, expected: VersionFormat) -> VersionReport:
    version = _text_at(document, expected.version)
    if version is None:
        pointer = expected.version
        error = f'answers JSON without a text at "{pointer}"' if pointer else "answers JSON that is no text"
        return VersionReport(error=error, is_off_topic=True)
    environment = _text_at(document, expected.environment) if expected.environment else ""
    return expected.report(version, environment or "")


def _text_at(document: object, pointer: str) -> str | None:
    try:
        value = resolve_pointer(document, pointer)
    except LookupError:
        return None
    return value if isinstance(value, str) else None
