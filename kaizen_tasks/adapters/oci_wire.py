"""HTTP as registries speak it: one pool, Basic credentials, retries, streams, and errors by their code."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from kaizen_tasks.errors import Denied, KaizenError, NotFound, PushFailed, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3 import BaseHTTPResponse

    from kaizen_tasks.ports import Login

ATTEMPTS = 5
CHUNK = 1 << 20
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 60.0
CONNECTIONS = 16
NEVER_MOVES = "a version never moves: release the next one"
BUSY = frozenset({429, 500, 502, 503, 504})


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
        login: where it is, and the credentials.
        backoff: seconds before the second repetition of a request; they double from there.
    """

    def __init__(self, login: Login, *, backoff: float) -> None:
        from urllib3 import PoolManager, Retry, Timeout, make_headers

        self.host = login.host
        self._root = login.url
        self._backoff = backoff
        self._credentials = make_headers(basic_auth=f"{login.username}:{login.password.open()}")
        self._pool = PoolManager(maxsize=CONNECTIONS, timeout=Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT))
        self._repeating = Retry(
            total=ATTEMPTS,
            status_forcelist=BUSY,
            allowed_methods=None,
            backoff_factor=backoff,
            backoff_jitter=backoff,
            raise_on_status=False,
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> BaseHTTPResponse:
        """Send a request; the answer's body is left to be read.

        A request whose body is a stream is sent once and follows no redirect; others are repeated
        while the registry is busy or the connection breaks.

        Args:
            method: of HTTP.
            path: below the registry's root, or a whole address that it gave.
            headers: besides the credentials.
            body: bytes, or chunks of a stream.

        Raises:
            Unreachable: no answer.
        """
        address = urljoin(self._root, path)
        once = body is not None and not isinstance(body, bytes)
        with self._reaching():
            return self._pool.request(
                method,
                address,
                headers={"Accept-Encoding": "identity", **self._credentials_for(address), **(headers or {})},
                body=body,
                retries=False if once else self._repeating,
                preload_content=False,
                decode_content=False,
            )

    def chunks(self, answer: BaseHTTPResponse) -> Iterator[bytes]:
        """Read an answer's body piece by piece.

        Raises:
            Unreachable: the connection broke.
        """
        with self._reaching():
            try:
                yield from answer.stream(CHUNK, decode_content=False)
            finally:
                answer.close()

    def body(self, answer: BaseHTTPResponse) -> bytes:
        """Read an answer's body at once.

        Raises:
            Unreachable: the connection broke.
        """
        return b"".join(self.chunks(answer))

    def pause(self, attempt: int) -> None:
        """Wait before the repetition that follows the `attempt`-th failure, counted from 0."""
        time.sleep(self._backoff * 2**attempt)

    def complaint(self, answer: BaseHTTPResponse) -> Complaint:
        """Read what an answer complains about; an empty complaint when it says nothing that is understood."""
        try:
            first = json.loads(self.body(answer))["errors"][0]
            return Complaint(str(first["code"]), " ".join(str(first.get("message", "")).split()))
        except (ValueError, LookupError, TypeError, AttributeError):
            return Complaint()

    def _credentials_for(self, address: str) -> Mapping[str, str]:
        """Credentials go to the registry itself, never to a storage that it refers to."""
        return self._credentials if urlsplit(address)[:2] == urlsplit(self._root)[:2] else {}

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        from urllib3.exceptions import HTTPError

        try:
            yield
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(
                f"the registry {self.host} does not answer: {reason}",
                hint="check the network, then run the same command again",
            ) from error


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
    if status in {401, 403}:
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
