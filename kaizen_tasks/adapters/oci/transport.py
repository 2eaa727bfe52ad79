"""HTTP as registries speak it: one pool, Basic credentials, patience, streams, and errors by their code."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from secrets import SystemRandom
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from kaizen_tasks.adapters.oci.pool import ConnectionPool
from kaizen_tasks.errors import Denied, KaizenError, NotFound, PushFailed, Refused, Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.types import Login

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from kaizen_tasks.adapters.oci.pool import PooledResponse

MAX_ATTEMPTS = 8
MAX_REDIRECTS = 10
BACKOFF_START_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 20.0
IMMUTABLE_TAG_HINT = "a version never moves: release the next one"
REDIRECT_STATUSES = frozenset({301, 302, 307, 308})
RETRYABLE_STATUSES = frozenset({429, 500, 502, 503, 504})
# ECR says 403 to a token that has expired, and the answer to a HEAD has no body that could tell that from a refusal.
AUTH_FAILURE_STATUSES = frozenset({401, 403})


class RegistryCredentials(Protocol):
    """Who logs in to one registry. Safe to use from several threads."""

    def login(self) -> Login:
        """Return a login that should be good."""
        ...

    def renew(self, stale: Login) -> Login:
        """Return a login in place of one that was refused, or the same where there is no other."""
        ...


@frozen
class StaticCredentials:
    """A login that cannot be renewed."""

    _login: Login

    def login(self) -> Login:
        """Return it."""
        return self._login

    def renew(self, stale: Login) -> Login:
        """Return the same."""
        return stale


@frozen
class RegistryErrorBody:
    """What a registry says is wrong; the code is stable, the wording is not.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    code: str = ""
    message: str = ""


class Transport:
    """A connection to one registry, safe to use from several threads.

    Args:
        credentials: they are sent to this registry only.
        clock: waits between two attempts.
    """

    def __init__(self, credentials: RegistryCredentials, *, clock: Clock) -> None:
        self._credentials = credentials
        self._backoff = Backoff(clock=clock)
        self._pool = ConnectionPool()

    @property
    def host(self) -> str:
        """Where it is, as image references begin."""
        return self._credentials.login().host

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> PooledResponse:
        """Send a request, again while the registry is busy or the connection breaks; the answer is left to be read.

        Args:
            method: of HTTP.
            path: below the registry's root, or a whole address that it gave.
            headers: besides the credentials.
            body: of the request.

        Raises:
            Unreachable: no answer.
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
            self.pause(attempt, retry_after)
        return self._send_authenticated(method, path, headers or {}, body)

    def stream(self, method: str, path: str, *, headers: Mapping[str, str], chunks: Iterator[bytes]) -> PooledResponse:
        """Send a request whose body is a stream: once, as what has been read of it is gone.

        Raises:
            Unreachable: no answer, or the login was renewed meanwhile: what is sent next may be welcome.
        """
        login = self._credentials.login()
        response = self._send_once(login, method, path, headers, chunks)
        if response.status in AUTH_FAILURE_STATUSES and self._credentials.renew(login) is not login:
            response.close()
            raise Unreachable(f"the login to the registry {login.host} has expired")
        return response

    def chunks(self, response: PooledResponse) -> Generator[bytes, None, None]:
        """Read an answer's body piece by piece.

        Raises:
            Unreachable: the connection broke.
        """
        with self._connection_errors():
            yield from response.chunks()

    def body(self, response: PooledResponse) -> bytes:
        """Read an answer's body at once, and keep the connection.

        Raises:
            Unreachable: the connection broke.
        """
        with self._connection_errors():
            return response.body()

    def pause(self, attempt: int, retry_after: str = "") -> None:
        """Wait before the repetition that follows the `attempt`-th failure, counted from 0; see `Patience`."""
        self._backoff.wait(attempt, retry_after)

    def expect(
        self, response: PooledResponse, *statuses: int, action: str, repository: str, is_write: bool = False
    ) -> PooledResponse:
        """Return an answer that has one of the statuses; translate any other, see `failure`."""
        if response.status in statuses:
            return response
        raise error_for_status(
            response.status, self._read_error_body(response), action=action, repository=repository, is_write=is_write
        )

    def _read_error_body(self, response: PooledResponse) -> RegistryErrorBody:
        """Read what an answer complains about; an empty complaint when it says nothing that is understood."""
        try:
            first = json.loads(self.body(response))["errors"][0]
            return RegistryErrorBody(str(first["code"]), " ".join(str(first.get("message", "")).split()))
        except (ValueError, LookupError, TypeError, AttributeError):
            return RegistryErrorBody()

    def _send_authenticated(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> PooledResponse:
        """Exchange once; once more with a new login where the first was refused and there is another."""
        login = self._credentials.login()
        response = self._send_once(login, method, path, headers, body)
        if response.status not in AUTH_FAILURE_STATUSES or (new_login := self._credentials.renew(login)) is login:
            return response
        response.drain()
        return self._send_once(new_login, method, path, headers, body)

    def _send_once(
        self, login: Login, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> PooledResponse:
        """Exchange once; what is sent to a storage instead goes there, unless it is a stream and gone."""
        url = urljoin(login.url, path)
        with self._connection_errors():
            for _ in range(MAX_REDIRECTS):
                auth_headers = _auth_headers(login, url)
                response = self._pool.request(method, url, headers={**auth_headers, **headers}, body=body)
                location = _redirect_location(method, response) if isinstance(body, bytes) else ""
                if not location:
                    return response
                response.drain()
                url = urljoin(url, location)
            raise HTTPException(f"it sends on more than {MAX_REDIRECTS} times")

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except (HTTPException, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(
                f"the registry {self.host} does not answer: {reason}",
                hint="check the network, then run the same command again",
            ) from error


@frozen(kw_only=True)
class Backoff:
    """Waits before the same thing is tried again: doubling pauses, of which chance takes up to a half.

    Without chance, those who were told together to slow down would come back together.
    """

    clock: Clock
    _random: SystemRandom = field(factory=SystemRandom, init=False)

    def wait(self, attempt: int, retry_after: str = "") -> None:
        """Wait.

        Args:
            attempt: how many failed before this one.
            retry_after: the registry's `Retry-After`: seconds or a date; a longer one than `LONGEST_PAUSE` is cut short.
        """
        pause = min(BACKOFF_START_SECONDS * 2**attempt, BACKOFF_CAP_SECONDS) * self._random.uniform(0.5, 1)
        self.clock.sleep(max(pause, min(self._parse_retry_after(retry_after), BACKOFF_CAP_SECONDS)))

    def _parse_retry_after(self, retry_after: str) -> float:
        """Read a `Retry-After`: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after."""
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        try:
            return (parsedate_to_datetime(retry_after) - self.clock.now()).total_seconds()
        except (ValueError, TypeError):
            return 0.0


def _auth_headers(login: Login, url: str) -> Mapping[str, str]:
    """Credentials go to the registry itself, never to a storage that it refers to."""
    if urlsplit(url)[:2] != urlsplit(login.url)[:2]:
        return {}
    secret = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


def _redirect_location(method: str, response: PooledResponse) -> str:
    """Return where an answer sends the same request, or empty; 303 is for what only reads."""
    is_redirect = response.status in REDIRECT_STATUSES or (response.status == 303 and method in {"GET", "HEAD"})
    return response.headers.get("Location", "") if is_redirect else ""


def error_for_status(
    status: int, error_body: RegistryErrorBody, *, action: str, repository: str, is_write: bool
) -> KaizenError:
    """Return the error that an answer means.

    Args:
        status: of HTTP.
        error_body: what the registry says.
        action: `put team/app:v1.2.3`.
        repository: which one it is about.
        is_write: whether the request was to change something.
    """
    details = " ".join(part for part in (f"HTTP {status}", error_body.code, error_body.message) if part)
    message = f"cannot {action}: {details}"
    if status in AUTH_FAILURE_STATUSES:
        return Denied(message, hint="check the credentials and their permissions on the repository")
    if error_body.code == "NAME_UNKNOWN":
        return repository_not_found(repository)
    if error_body.code == "TAG_INVALID":
        return PushFailed(message, state="the tag still names what it named", hint=IMMUTABLE_TAG_HINT)
    if status in RETRYABLE_STATUSES:
        return Unreachable(message, hint="run the same command again")
    return PushFailed(message) if is_write else Refused(message)


def repository_not_found(name: str) -> NotFound:
    """Return the error for a repository that does not exist."""
    return NotFound(
        f"there is no image repository {name}",
        hint=f"create it: aws ecr create-repository --repository-name {name}",
    )
