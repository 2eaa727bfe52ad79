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

from kaizen_tasks.adapters.oci.pool import Connections
from kaizen_tasks.errors import Denied, KaizenError, NotFound, PushFailed, Refused, Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.types import Login

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from kaizen_tasks.adapters.oci.pool import Reply

ATTEMPTS = 8
HOPS = 10
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
NEVER_MOVES = "a version never moves: release the next one"
MOVED = frozenset({301, 302, 307, 308})
BUSY = frozenset({429, 500, 502, 503, 504})
# ECR says 403 to a token that has expired, and the answer to a HEAD has no body that could tell that from a refusal.
UNWELCOME = frozenset({401, 403})


class Credentials(Protocol):
    """Who logs in to one registry. Safe to use from several threads."""

    def login(self) -> Login:
        """Return a login that should be good."""
        ...

    def renew(self, stale: Login) -> Login:
        """Return a login in place of one that was refused, or the same where there is no other."""
        ...


@frozen
class Given:
    """A login that cannot be renewed."""

    _login: Login

    def login(self) -> Login:
        """Return it."""
        return self._login

    def renew(self, stale: Login) -> Login:
        """Return the same."""
        return stale


@frozen
class Complaint:
    """What a registry says is wrong; the code is stable, the wording is not.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    code: str = ""
    message: str = ""


class Wire:
    """A connection to one registry, safe to use from several threads.

    Args:
        credentials: they are sent to this registry only.
        clock: waits between two attempts.
    """

    def __init__(self, credentials: Credentials, *, clock: Clock) -> None:
        self._credentials = credentials
        self._patience = Patience(clock=clock)
        self._connections = Connections()

    @property
    def host(self) -> str:
        """Where it is, as image references begin."""
        return self._credentials.login().host

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send a request, again while the registry is busy or the connection breaks; the answer is left to be read.

        Args:
            method: of HTTP.
            path: below the registry's root, or a whole address that it gave.
            headers: besides the credentials.
            body: of the request.

        Raises:
            Unreachable: no answer.
        """
        for attempt in range(ATTEMPTS - 1):
            wish = ""
            try:
                answer = self._welcomed(method, path, headers or {}, body)
            except Unreachable:
                pass  # the last attempt raises it
            else:
                if answer.status not in BUSY:
                    return answer
                wish = answer.headers.get("Retry-After", "")
                answer.drain()
            self.pause(attempt, wish)
        return self._welcomed(method, path, headers or {}, body)

    def stream(self, method: str, path: str, *, headers: Mapping[str, str], chunks: Iterator[bytes]) -> Reply:
        """Send a request whose body is a stream: once, as what has been read of it is gone.

        Raises:
            Unreachable: no answer, or the login was renewed meanwhile: what is sent next may be welcome.
        """
        login = self._credentials.login()
        answer = self._exchange(login, method, path, headers, chunks)
        if answer.status in UNWELCOME and self._credentials.renew(login) is not login:
            answer.close()
            raise Unreachable(f"the login to the registry {login.host} has expired")
        return answer

    def chunks(self, answer: Reply) -> Generator[bytes, None, None]:
        """Read an answer's body piece by piece.

        Raises:
            Unreachable: the connection broke.
        """
        with self._reaching():
            yield from answer.chunks()

    def body(self, answer: Reply) -> bytes:
        """Read an answer's body at once, and keep the connection.

        Raises:
            Unreachable: the connection broke.
        """
        with self._reaching():
            return answer.body()

    def pause(self, attempt: int, wish: str = "") -> None:
        """Wait before the repetition that follows the `attempt`-th failure, counted from 0; see `Patience`."""
        self._patience.wait(attempt, wish)

    def expect(self, answer: Reply, *statuses: int, doing: str, repository: str, changing: bool = False) -> Reply:
        """Return an answer that has one of the statuses; translate any other, see `failure`."""
        if answer.status in statuses:
            return answer
        raise failure(answer.status, self._complaint(answer), doing=doing, repository=repository, changing=changing)

    def _complaint(self, answer: Reply) -> Complaint:
        """Read what an answer complains about; an empty complaint when it says nothing that is understood."""
        try:
            first = json.loads(self.body(answer))["errors"][0]
            return Complaint(str(first["code"]), " ".join(str(first.get("message", "")).split()))
        except (ValueError, LookupError, TypeError, AttributeError):
            return Complaint()

    def _welcomed(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Exchange once; once more with a new login where the first was refused and there is another."""
        login = self._credentials.login()
        answer = self._exchange(login, method, path, headers, body)
        if answer.status not in UNWELCOME or (fresh := self._credentials.renew(login)) is login:
            return answer
        answer.drain()
        return self._exchange(fresh, method, path, headers, body)

    def _exchange(
        self, login: Login, method: str, path: str, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> Reply:
        """Exchange once; what is sent to a storage instead goes there, unless it is a stream and gone."""
        address = urljoin(login.url, path)
        with self._reaching():
            for _ in range(HOPS):
                known = _credentials(login, address)
                answer = self._connections.exchange(method, address, headers={**known, **headers}, body=body)
                elsewhere = _elsewhere(method, answer) if isinstance(body, bytes) else ""
                if not elsewhere:
                    return answer
                answer.drain()
                address = urljoin(address, elsewhere)
            raise HTTPException(f"it sends on more than {HOPS} times")

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (HTTPException, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(
                f"the registry {self.host} does not answer: {reason}",
                hint="check the network, then run the same command again",
            ) from error


@frozen(kw_only=True)
class Patience:
    """Waits before the same thing is tried again: doubling pauses, of which chance takes up to a half.

    Without chance, those who were told together to slow down would come back together.
    """

    clock: Clock
    _chance: SystemRandom = field(factory=SystemRandom, init=False)

    def wait(self, attempt: int, wish: str = "") -> None:
        """Wait.

        Args:
            attempt: how many failed before this one.
            wish: the registry's `Retry-After`: seconds or a date; a longer one than `LONGEST_PAUSE` is cut short.
        """
        pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * self._chance.uniform(0.5, 1)
        self.clock.sleep(max(pause, min(self._wished(wish), LONGEST_PAUSE)))

    def _wished(self, wish: str) -> float:
        """Read a `Retry-After`: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after."""
        if wish.isascii() and wish.isdigit():
            return float(wish)
        try:
            return (parsedate_to_datetime(wish) - self.clock.now()).total_seconds()
        except (ValueError, TypeError):
            return 0.0


def _credentials(login: Login, address: str) -> Mapping[str, str]:
    """Credentials go to the registry itself, never to a storage that it refers to."""
    if urlsplit(address)[:2] != urlsplit(login.url)[:2]:
        return {}
    secret = base64.b64encode(f"{login.username}:{login.password.open()}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


def _elsewhere(method: str, answer: Reply) -> str:
    """Return where an answer sends the same request, or empty; 303 is for what only reads."""
    moved = answer.status in MOVED or (answer.status == 303 and method in {"GET", "HEAD"})
    return answer.headers.get("Location", "") if moved else ""


def failure(status: int, complaint: Complaint, *, doing: str, repository: str, changing: bool) -> KaizenError:
    """Return the error that an answer means.

    Args:
        status: of HTTP.
        complaint: what the registry says.
        doing: `put team/app:v1.2.3`.
        repository: which one it is about.
        changing: whether the request was to change something.
    """
    said = " ".join(part for part in (f"HTTP {status}", complaint.code, complaint.message) if part)
    what = f"cannot {doing}: {said}"
    if status in UNWELCOME:
        return Denied(what, hint="check the credentials and their permissions on the repository")
    if complaint.code == "NAME_UNKNOWN":
        return no_repository(repository)
    if complaint.code == "TAG_INVALID":
        return PushFailed(what, state="the tag still names what it named", hint=NEVER_MOVES)
    if status in BUSY:
        return Unreachable(what, hint="run the same command again")
    return PushFailed(what) if changing else Refused(what)


def no_repository(name: str) -> NotFound:
    """Return the error for a repository that does not exist."""
    return NotFound(
        f"there is no image repository {name}",
        hint=f"create it: aws ecr create-repository --repository-name {name}",
    )
