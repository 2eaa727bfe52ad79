"""Verifies that requests are signed with the credentials of this cloud: Signature Version 4, in a header.

Presigned addresses and signatures of single chunks are refused: no client of the local cloud sends them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.server.refusals import RequestRefused, is_query_protocol
from kaizen_tasks.localcloud.signing.credentials import Credentials
from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<access_key_id>[^/\s]+)/(?P<date>\d{{8}})/(?P<region>[^/\s]+)/(?P<service>[^/\s]+)"
    r"/aws4_request, *SignedHeaders=(?P<signed_headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_SESSION_TOKEN = "X-Amz-Security-Token"  # noqa: S105 - the header's name
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_MAX_SKEW = timedelta(minutes=5)
_CODES = {
    "unknown key": ("UnrecognizedClientException", "InvalidClientTokenId"),
    "bad signature": ("InvalidSignatureException", "SignatureDoesNotMatch"),
    "expired token": ("ExpiredTokenException", "ExpiredToken"),
    "incomplete": ("IncompleteSignatureException", "IncompleteSignature"),
}
"""Codes of the JSON protocols and of the query protocol."""

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


@attrs.frozen(kw_only=True)
class Signature:
    """The content of an `Authorization` header.

    Args:
        access_key_id: names the key.
        date: day of the scope, as YYYYMMDD.
        region: region of the scope.
        service: signing name of the service.
        signed_headers: names of the headers that were signed, with semicolons between them.
        signature: the signature in hexadecimal digits.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str


@attrs.frozen(kw_only=True)
class Caller:
    """Who has signed a request, for which service.

    Args:
        principal: the user, or the session of a role.
        region: region of the scope.
        service: signing name of the service.
    """

    principal: Principal
    region: str
    service: str


@attrs.frozen(kw_only=True)
class SignatureVerifier:
    """Verifies signatures.

    Args:
        credentials: the ones that the cloud gave out.
        user: who they belong to.
        sessions: recognises temporary credentials, which are accepted as well.
        clock: returns seconds since the epoch, by which requests are dated.
        session_clock: returns seconds since the epoch, by which sessions expire.
    """

    credentials: Credentials
    user: Principal
    sessions: Sessions
    clock: Callable[[], float] = time.time
    session_clock: Callable[[], float] = time.time

    def verify(self, request: HttpRequest) -> Caller | None:
        """Return who has signed a request, or None if it has no signature at all.

        The body is read after the access key and the time have been found good.

        Raises:
            RequestRefused: the signature is malformed, or not of these credentials.
        """
        authorization = request.header("Authorization")
        if not authorization.startswith(ALGORITHM):
            return None
        match = _AUTHORIZATION.fullmatch(authorization.strip())
        if match is None:
            raise _refusal(request, "incomplete", "the Authorization header is not a complete Signature Version 4.")
        signature = Signature(**match.groupdict())
        principal, secret_access_key = self._find_key(request, signature)
        self._check_time(request, signature)
        self._check_signature(request, signature, secret_access_key)
        return Caller(principal=principal, region=signature.region, service=signature.service)

    def _find_key(self, request: HttpRequest, signature: Signature) -> tuple[Principal, str]:
        """Return who a key belongs to, and the key that the request has to be signed with."""
        if _equal(signature.access_key_id, self.credentials.access_key_id):
            return self.user, self.credentials.secret_access_key
        session = self.sessions.find(signature.access_key_id, request.header(_SESSION_TOKEN))
        if session is None:
            raise _refusal(request, "unknown key", "The security token included in the request is invalid.")
        if session.expires is not None and session.expires <= self.session_clock():
            raise _refusal(request, "expired token", "The security token included in the request is expired")
        return session.principal, session.secret_access_key

    def _check_time(self, request: HttpRequest, signature: Signature) -> None:
        timestamp = request.header("X-Amz-Date")
        try:
            signed_at = datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=UTC)
        except ValueError as error:
            raise _refusal(request, "incomplete", "X-Amz-Date is missing or malformed.") from error
        if not timestamp.startswith(signature.date):
            raise _refusal(request, "bad signature", "Date in Credential scope does not match X-Amz-Date.")
        now = datetime.fromtimestamp(self.clock(), UTC)
        earliest, latest = now - _MAX_SKEW, now + _MAX_SKEW
        if signed_at < earliest:
            message = f"Signature expired: {timestamp} is now earlier than {earliest:{_TIMESTAMP}}"
            raise _refusal(request, "bad signature", f"{message} ({now:{_TIMESTAMP}} - 5 min.)")
        if signed_at > latest:
            message = f"Signature not yet current: {timestamp} is still later than {latest:{_TIMESTAMP}}"
            raise _refusal(request, "bad signature", f"{message} ({now:{_TIMESTAMP}} + 5 min.)")

    def _check_signature(self, request: HttpRequest, signature: Signature, secret_access_key: str) -> None:
        signed_headers = frozenset(signature.signed_headers.split(";"))
        sent_headers = {name for name, _ in request.header_fields}
        required = {"host", *(name for name in sent_headers if name.startswith("x-amz-"))}
        if missing := sorted(required - signed_headers):
            raise _refusal(request, "bad signature", f"these headers must be signed: {', '.join(missing)}")
        from kaizen_tasks.localcloud.signing.sigv4 import compute_signature

        expected = compute_signature(
            request,
            secret_access_key=secret_access_key,
            region=signature.region,
            service=signature.service,
            signed_headers=signed_headers,
        )
        if not signed_headers <= sent_headers or not _equal(expected, signature.signature):
            raise _refusal(request, "bad signature", _MISMATCH)


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _refusal(request: HttpRequest, reason: str, message: str) -> RequestRefused:
    """Return the refusal with the status and code that AWS uses in the protocol of the request."""
    json_code, query_code = _CODES[reason]
    if is_query_protocol(request):
        return RequestRefused(403, query_code, message)
    return RequestRefused(400, json_code, message)
