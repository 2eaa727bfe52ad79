"""HTTP requests to a registry: authentication, redirects, retries with backoff, and error translation."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from secrets import SystemRandom
from typing import Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from attrs import field, frozen

from kaizen_tasks.adapters.network.failures import network_error, proxy_refusal
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.oci.pool import BodyTooLargeError, ConnectionPool, PooledResponse
from kaizen_tasks.errors import Denied, KaizenError, NotFound, PushFailed, Refused, Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.images import Login

MAX_ATTEMPTS = 8
MAX_REDIRECTS = 10
MAX_ERROR_BYTES = 1 << 16
BACKOFF_START_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 20.0
IMMUTABLE_TAG_HINT = "a version never moves: release the next one"
REDIRECT_STATUSES = frozenset({301, 302, 307, 308})
RETRYABLE_STATUSES = frozenset({429, 500, 502, 503, 504})
# ECR answers 403 to an expired token, and a response to HEAD has no body that would tell it from a denied permission.
AUTH_FAILURE_STATUSES = frozenset({401, 403})


class RegistryCredentials(Protocol):
    """The credentials of one registry. Safe to use from several threads."""

    def login(self) -> Login:
        """Return a login that is believed to be valid."""

    def renew(self, stale: Login) -> Login:
        """Return a login that replaces a rejected one; return `stale` itself when there is no other."""


@frozen
class StaticCredentials:
    """Credentials that consist of one login, which cannot be renewed."""

    _login: Login

    def login(self) -> Login:
        """Return the login."""
        return self._login

    def renew(self, stale: Login) -> Login:
        """Return the rejected login itself."""
        return stale


@frozen
class RegistryErrorBody:
    """The error in a registry's response: a stable code, and a message whose wording varies.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    code: str = ""
    message: str = ""


class Transport:
    """A sender of requests to one registry. Safe to use from several threads.

    Args:
        credentials: the registry's credentials, which are sent to no other host.
        clock: for the pauses between attempts.
        network: proxies, and trusted certificates.
    """

    def __init__(self, credentials: RegistryCredentials, *, clock: Clock, network: NetworkSettings) -> None:
        self._credentials = credentials
        self.backoff = Backoff(clock=clock)
        self._network = network
        self._pool = ConnectionPool(network)

    @property
    def host(self) -> str:
        """The registry's host, the first part of image references."""
        return self._credentials.login().host

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> PooledResponse:
        """Send a request and return the response, its body unread; retry if the registry is busy or does not answer.

        Args:
            method: the HTTP method.
            path: a path below the registry's root, or an absolute URL from a response.
            headers: request headers besides the credentials.
            body: the request's body.

        Raises:
            Unreachable: the last attempt got no response.
        """
        for attempt in range(MAX_ATTEMPTS - 1):
            retry_after = ""
            try:
                response = self._send_authenticated(method, path, headers or {}, body)
            except Unreachable:
                pass  # the last attempt raises it
            else:
                if response.status not in RETRYABLE_STATUSES:
                    return response
                retry_after = response.headers.get("Retry-After", "")
                response.drain()
            self.backoff.wait(attempt, retry_after)
        return self._send_authenticated(method, path, headers or {}, body)

    def stream(self, method: str, path: str, *, headers: Mapping[str, str], chunks: Iterator[bytes]) -> PooledResponse:
        """Send a request whose body is a stream, once: a stream cannot be sent again. Return the response.

        Raises:
            Unreachable: there was no response, or the login had expired and has been renewed.
        """
        login = self._credentials.login()
        response = self._send_once(login, method, path, headers, chunks)
        if response.status in AUTH_FAILURE_STATUSES and self._credentials.renew(login) is not login:
            response.close()
            raise Unreachable(f"the login to the registry {login.host} has expired")
        return response

    def chunks(self, response: PooledResponse) -> Generator[bytes, None, None]:
        """Yield a response's body in chunks.

        Raises:
            Unreachable: the connection broke.
        """
        with self._connection_errors():
            yield from response.chunks()

    def body(self, response: PooledResponse, *, limit: int) -> bytes:
        """Return a response's body, and release the connection for reuse.

        Args:
            response: a response whose body is unread.
            limit: maximum number of bytes.

        Raises:
            Refused: the body is larger.
            Unreachable: the connection broke.
        """
        try:
            with self._connection_errors():
                return response.body(limit=limit)
        except Unreachable as error:
            if isinstance(error.__cause__, BodyTooLargeError):
                raise Refused(f"the response of the registry {self.host} is too large: {error.__cause__}") from error
            raise

    def expect(
        self, response: PooledResponse, *statuses: int, action: str, repository: str, is_write: bool = False
    ) -> PooledResponse:
        """Return the response if it has one of the statuses; otherwise raise the error of `error_for_status`."""
        if response.status in statuses:
            return response
        error_body = self._read_error_body(response)
        raise error_for_status(response.status, error_body, action=action, repository=repository, is_write=is_write)

    def _read_error_body(self, response: PooledResponse) -> RegistryErrorBody:
        """Return the error in a response's body; code and message are empty when the body is not understood."""
        try:
            first = json.loads(self.body(response, limit=MAX_ERROR_BYTES))["errors"][0]
            return RegistryErrorBody(str(first["code"]), " ".join(str(first.get("message", "")).split()))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, Refused):
            return RegistryErrorBody()

    def _send_authenticated(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> PooledResponse:
        """Send a request, once more if the login was rejected and could be renewed; return the response."""
        login = self._credentials.login()
        response = self._send_once(login, method, path, headers, body)
        if response.status not in AUTH_FAILURE_STATUSES or (new_login := self._credentials.renew(login)) is login:
            return response
        response.drain()
        return self._send_once(new_login, method, path, headers, body)

    def _send_once(
        self, login: Login, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> PooledResponse:
        """Send a request with a login and return the response; follow redirects if the body is bytes."""
        origin, target = _locate(login.url, path)
        for _ in range(MAX_REDIRECTS):
            sent_headers = {**_auth_headers(login, origin), **headers}
            try:
                response = self._pool.request(method, origin, target, headers=sent_headers, body=body)
            except (HTTPException, OSError) as error:
                raise self._connection_error(error, origin) from error
            self._require_no_proxy_refusal(response, origin)
            location = _redirect_location(method, response) if isinstance(body, bytes) else ""
            if not location:
                return response
            response.drain()
            origin, target = _locate(origin, location, beside=target)
        raise self._unreachable(f"it redirects more than {MAX_REDIRECTS} times")

    def _require_no_proxy_refusal(self, response: PooledResponse, url: str) -> None:
        """Raise the error of a proxy that wants a user name and password before it forwards a request to http://."""
        proxy = self._network.proxy(url) if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED else None
        if proxy:
            response.close()
            raise proxy_refusal(response.status, proxy, url)

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except (HTTPException, OSError) as error:
            raise self._connection_error(error, self._credentials.login().url) from error

    def _connection_error(self, error: HTTPException | OSError, url: str) -> KaizenError:
        if explained := network_error(error, url, self._network):
            return explained
        return self._unreachable(getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _unreachable(self, reason: str) -> Unreachable:
        message = f"the registry {self.host} does not answer: {reason}"
        return Unreachable(message, hint="check the network, then run the same command again")


@frozen(kw_only=True)
class Backoff:
    """Exponential backoff with up to 50 % jitter, so that throttled clients do not retry at the same time."""

    clock: Clock
    _random: SystemRandom = field(factory=SystemRandom, init=False)

    def wait(self, attempt: int, retry_after: str = "") -> None:
        """Wait until the next attempt.

        Args:
            attempt: number of attempts that failed before the last one.
            retry_after: the registry's `Retry-After`, in seconds or as a date; capped at `BACKOFF_CAP_SECONDS`.
        """
        pause = min(BACKOFF_START_SECONDS * 2**attempt, BACKOFF_CAP_SECONDS) * self._random.uniform(0.5, 1)
        self.clock.sleep(max(pause, min(self._parse_retry_after(retry_after), BACKOFF_CAP_SECONDS)))

    def _parse_retry_after(self, retry_after: str) -> float:
        """Return the seconds of a `Retry-After`, or 0: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after."""
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        try:
            return (parsedate_to_datetime(retry_after) - self.clock.now()).total_seconds()
        except (ValueError, TypeError):
            return 0.0


def _locate(origin: str, location: str, *, beside: str = "/") -> tuple[str, str]:
    """Return the origin and the target of a `Location`, which may be relative to `beside`, a target on `origin`.

    A plain path is not parsed, which would take a tenth of a promotion's processor time.
    """
    if location.startswith("/") and not location.startswith("//") and "#" not in location:
        return origin, location
    parts = urlsplit(urljoin(origin + beside, location))
    return f"{parts.scheme}://{parts.netloc}", urlunsplit(("", "", parts.path or "/", parts.query, ""))


def _auth_headers(login: Login, origin: str) -> Mapping[str, str]:
    """Return the headers with the credentials; empty for another host, to which the registry redirects."""
    if urlsplit(origin)[:2] != urlsplit(login.url)[:2]:
        return {}
    secret = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


def _redirect_location(method: str, response: PooledResponse) -> str:
    """Return the URL to which a response redirects its request, else an empty string; 303 redirects only reads."""
    is_redirect = response.status in REDIRECT_STATUSES or (response.status == 303 and method in {"GET", "HEAD"})
    return response.headers.get("Location", "") if is_redirect else ""


def error_for_status(
    status: int, error_body: RegistryErrorBody, *, action: str, repository: str, is_write: bool
) -> KaizenError:
    """Return the error for a response.

    Args:
        status: the HTTP status.
        error_body: the error in the response's body.
        action: what was attempted, such as `put team/app:v1.2.3`.
        repository: the repository's name.
        is_write: whether the request was a change.
    """
    details = " ".join(part for part in (f"HTTP {status}", error_body.code, error_body.message) if part)
    message = f"cannot {action}: {details}"
    if status in AUTH_FAILURE_STATUSES:
        return Denied(message, hint="check the credentials and their permissions on the repository")
    if error_body.code == "NAME_UNKNOWN":
        return repository_not_found(repository)
    if error_body.code == "TAG_INVALID":
        return PushFailed(message, state="the tag has not moved", hint=IMMUTABLE_TAG_HINT)
    if status in RETRYABLE_STATUSES:
        return Unreachable(message, hint="run the same command again")
    return PushFailed(message) if is_write else Refused(message)


def repository_not_found(name: str) -> NotFound:
    """Return the error for a repository that does not exist."""
    return NotFound(
        f"there is no image repository {name}", hint=f"create it: aws ecr create-repository --repository-name {name}"
    )
