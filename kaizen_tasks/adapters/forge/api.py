"""Requests to the JSON API of a forge, and the translation of its errors, in one place."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from attrs import frozen

from kaizen_tasks.domain.forge import ForgeProject
from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import Denied, KaizenError, NotFound, Refused, Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.platform import Prober
from kaizen_tasks.ports.secrets import Secret

TIMEOUT_SECONDS = 30.0
MAX_RESPONSE_BYTES = 10_000_000  # a page of releases has all their notes
READ_ATTEMPTS = 3
RETRY_SECONDS = 2.0
MAX_REDIRECTS = 3
MAX_REASON_LENGTH = 300

_ERRORS: Mapping[int, tuple[type[KaizenError], str, str]] = {
    HTTPStatus.UNAUTHORIZED: (
        Denied,
        "rejects the token in {variable}",
        "set {settable_variable} to a token of {project.host} that has not expired; it needs {needs}",
    ),
    HTTPStatus.FORBIDDEN: (
        Denied,
        "does not allow this with the token in {variable}",
        "set {settable_variable} to a token that may; it needs {needs}",
    ),
    HTTPStatus.NOT_FOUND: (
        NotFound,
        "shows no {project.path} to the token in {variable}",
        "set {settable_variable} to a token for that repository; it needs {needs}",
    ),
}
"""The class, the message and the hint of an error, by its HTTP status."""
_SERVER_ERROR = (Unreachable, "fails", "run the same command again")
_REDIRECT = (Refused, "has moved to {target}", "git remote set-url names the new address")
_OTHER_ERROR = (Refused, "does not accept this", "correct what it names, and run the same command again")


class RateLimited(Refused):
    """The server takes no more requests for a while."""


REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASON_MEMBERS = ("message", "error", "error_description", "errors")
RATE_LIMIT_HEADERS = ("x-ratelimit-reset", "ratelimit-reset")


@frozen(kw_only=True)
class Token:
    """What opens the API.

    Attributes:
        variable: the environment variable that holds it.
        settable_variable: the one that a person sets in its place.
        header: the header that carries it.
        value: the header's value.
        needs: what it must be allowed, in words.
    """

    variable: str
    settable_variable: str
    header: str
    value: Secret
    needs: str


@frozen(kw_only=True)
class ApiResponse:
    """A response that is no error, or an expected one.

    Attributes:
        status: HTTP status.
        document: its JSON; None without any.
        reason: what the server says about an error.
    """

    status: int
    document: Any
    reason: str = ""


class ForgeApi:
    """The API of one repository's server.

    Args:
        project: the repository.
        token: what opens the API.
        headers: further headers of each request.
        prober: sends the requests.
        clock: waits before a failed question is asked again.
    """

    def __init__(
        self, project: ForgeProject, token: Token, *, headers: Mapping[str, str], prober: Prober, clock: Clock
    ) -> None:
        self.project = project
        self._token = token
        self._headers = headers
        self._prober = prober
        self._clock = clock

    def find(self, path: str) -> Any:
        """Return the JSON of a resource; None when there is none.

        Raises:
            KaizenError: the server does not answer, or with another error.
        """
        return self.send("GET", path, accepted={HTTPStatus.NOT_FOUND}).document

    def list(self, path: str, **query: str) -> Any:
        """Return the JSON of a list of resources.

        Raises:
            NotFound: the server shows no such repository to the token.
            KaizenError: the server does not answer, or with another error.
        """
        return self.send("GET", f"{path}?{urlencode(query)}").document

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, accepted: Collection[int] = ()
    ) -> ApiResponse:
        """Send a request and return its response, which has a JSON document unless its status is an accepted error.

        Args:
            method: HTTP method; only a GET is repeated if the server fails to answer it.
            path: path below the API's URL, with its query.
            body: what becomes the JSON of the request.
            accepted: statuses of errors that are answers too.

        Raises:
            KaizenError: the server does not answer, or with another error.
        """
        url = f"{self.project.api_url}{path}"
        response = self._attempt(method, url, body)
        for _ in range(READ_ATTEMPTS - 1):
            if method != "GET" or not _is_transient(response):
                break
            self._clock.sleep(RETRY_SECONDS)
            response = self._attempt(method, url, body)
        if response.status in accepted:
            return ApiResponse(status=response.status, document=None, reason=self._reason(response))
        if response.error or not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._error(response)
        return ApiResponse(status=response.status, document=self._parse(response))

    def _attempt(self, method: str, url: str, body: Mapping[str, object] | None) -> ProbeResponse:
        """Send a request, and follow redirects on the same server, as to the new name of a repository."""
        response = self._probe(method, url, body)
        for _ in range(MAX_REDIRECTS):
            target = urljoin(url, response.headers.get("location", ""))
            is_same_server = urlsplit(target)[:2] == urlsplit(url)[:2]  # the token is for no other one
            if response.status not in REDIRECTS or not is_same_server or target == url:
                break
            url, response = target, self._probe(method, target, body)
        return response

    def _probe(self, method: str, url: str, body: Mapping[str, object] | None) -> ProbeResponse:
        headers = {**self._headers, self._token.header: self._token.value.reveal()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = b"" if body is None else json.dumps(body).encode()
        request = ProbeRequest(method=method, headers=headers, body=content)
        return self._prober.probe(url, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES, request=request)

    def _parse(self, response: ProbeResponse) -> Any:
        try:
            return json.loads(response.body)
        except ValueError as error:
            message = f"{self._server} answers something else than JSON"
            raise Unreachable(message, hint="check whether a proxy or a login page answers in its place") from error

    @property
    def _server(self) -> str:
        return f"{self.project.name} at {urlsplit(self.project.api_url).netloc}"

    def _error(self, response: ProbeResponse) -> KaizenError:
        if response.error:
            hint = response.network_remedy or "run the same command again"
            return Unreachable(f"{self._server} {response.error}", hint=hint)
        reason = self._reason(response)
        details = f" (HTTP {response.status}{': ' if reason else ''}{reason})"
        if until := _limited_until(response, self._clock.now()):
            message = f"{self._server} takes no more requests for a while{details}"
            return RateLimited(message, hint=f"run the same command again {until}")
        error, message, hint = _ERRORS.get(response.status, _OTHER_ERROR)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            error, message, hint = _SERVER_ERROR
        if response.status in REDIRECTS:
            error, message, hint = _REDIRECT
        values = {
            "variable": self._token.variable,
            "settable_variable": self._token.settable_variable,
            "needs": self._token.needs,
            "project": self.project,
            "target": urlsplit(response.headers.get("location", "")).netloc,
        }
        remedy = _permission_hint(reason) or hint.format(**values)
        return error(f"{self._server} {message.format(**values)}{details}", hint=remedy)

    def _reason(self, response: ProbeResponse) -> str:
        """Return what the body of an error says, in one line and without the token."""
        try:
            document = json.loads(response.body)
        except ValueError:
            return ""
        token = self._token.value.reveal().removeprefix("Bearer ")
        reason = "; ".join(dict.fromkeys(_texts(document))).replace(token, "[redacted]")
        return printable(" ".join(reason.split()))[:MAX_REASON_LENGTH]


@frozen(kw_only=True)
class UsableForge:
    """What servers of all kinds have in common, if there is a token.

    Attributes:
        api: the server's API.
    """

    api: ForgeApi

    def server(self) -> str:
        """Return what people call the server."""
        return self.api.project.name

    def access_problem(self) -> str:
        """Return an empty string: there is a token."""
        return ""

    def files_url(self, ref: str) -> str:
        """Return the URL below which the files of a tag or branch are shown."""
        return self.api.project.files_url(ref)


def _texts(document: object) -> list[str]:
    """Return the messages in the JSON of an error: a text, a list, or members by field."""
    if isinstance(document, str):
        return [document]
    if isinstance(document, list):
        return [text for member in document for text in _texts(member)]
    if not isinstance(document, Mapping):
        return []
    parts = [part for name in _REASON_MEMBERS for part in _texts(document.get(name))]
    if parts:
        return parts
    code, field = document.get("code"), document.get("field")
    if isinstance(code, str):  # https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
        return [f"{field} {code.replace('_', ' ')}" if isinstance(field, str) else code.replace("_", " ")]
    return [
        f"{name} {text}" for name, member in document.items() for text in _texts(member) if name != "documentation_url"
    ]


def _is_transient(response: ProbeResponse) -> bool:
    statuses = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}
    is_cut = bool(response.error) and not response.network_remedy
    return is_cut or response.status in {*statuses, HTTPStatus.GATEWAY_TIMEOUT}


def _limited_until(response: ProbeResponse, now: datetime) -> str:
    """Return from when on requests are taken again; empty if there is no limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.gitlab.com/security/rate_limits/
    """
    headers = response.headers
    is_limited = response.status == HTTPStatus.TOO_MANY_REQUESTS or (
        response.status == HTTPStatus.FORBIDDEN
        and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )
    if not is_limited:
        return ""
    if headers.get("retry-after", "").isdigit():
        return f"in {headers['retry-after']} seconds"
    reset = next((headers[name] for name in RATE_LIMIT_HEADERS if headers.get(name, "").isdigit()), "")
    moment = datetime.fromtimestamp(int(reset[:10]), UTC) if reset else now
    return f"after {moment:%H:%M} UTC" if moment > now else "in a minute"


def _permission_hint(reason: str) -> str:
    """Return the remedy for a permission that is none of the token's own."""
    if "not permitted to create or approve pull requests" in reason:
        return "allow it in the repository: Settings → Actions → General → Allow GitHub Actions to create pull requests"
    if "SAML" in reason or "SSO" in reason:
        return "authorize the token for the organisation's single sign-on"
    return ""
