"""Computes signatures with botocore's own signer.

Importing this module imports botocore: import it at the first signed request.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Collection

    from kaizen_tasks.localcloud.server.http_message import HttpRequest

_CONTENT_HASH_HEADER = "X-Amz-Content-SHA256"
_UNESCAPED_SERVICE = "s3"  # the only service whose paths are signed as they are sent


def compute_signature(
    request: HttpRequest, *, secret_access_key: str, region: str, service: str, signed_headers: Collection[str]
) -> str:
    """Return the signature that a request should have.

    Args:
        request: the request; its body is read.
        secret_access_key: the key.
        region: region of the signature's scope.
        service: service of the signature's scope.
        signed_headers: lower-case names of the headers that are signed.
    """
    content_hash = hashlib.sha256(request.content).hexdigest()
    if request.header(_CONTENT_HASH_HEADER) not in ("", content_hash):
        return ""
    signed_request = AWSRequest(method=request.method, url=f"http://local{request.target}")
    signed_request.context.update(timestamp=request.header("X-Amz-Date"), content_hash=content_hash)
    for name, value in request.header_fields:
        if name in signed_headers:
            signed_request.headers[name] = value
    signer = _Signer(Credentials("", secret_access_key), service, region)
    return signer.signature(
        signer.string_to_sign(signed_request, signer.canonical_request(signed_request)), signed_request
    )


class _Signer(SigV4Auth):
    """Signs exactly the headers that the client has signed, with a key that is derived once a day."""

    _region_name: str  # as in the base class, whose stubs lack the private members
    _service_name: str

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers

    def payload(self, request: Any) -> Any:
        return request.context["content_hash"]

    def signature(self, string_to_sign: str, request: Any) -> str:
        date = request.context["timestamp"][:8]
        key = _signing_key(self.credentials.secret_key, date, self._region_name, self._service_name)
        return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()

    def _normalize_url_path(self, path: str) -> str:
        if self._service_name == _UNESCAPED_SERVICE:
            return path
        return str(super()._normalize_url_path(path))  # type: ignore[misc]  # the stubs lack it


@functools.lru_cache(maxsize=64)
def _signing_key(secret_access_key: str, *scope: str) -> bytes:
    """Derive the key of a scope: date, region and service."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
