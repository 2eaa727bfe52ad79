"""Identity tokens for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json


def identity_token(key: str, *, algorithm: str = "HS256", **claims: object) -> str:
    """Return a token that is signed with a key.

    Args:
        key: the key.
        algorithm: what the header says.
        claims: claims other than those of a job of GitHub Actions.
    """
    standard = {"iss": "https://ci.example", "sub": "repo:acme/web", "aud": "sts.amazonaws.com", "exp": 4_000_000_000}
    content = ".".join(_encode(json.dumps(part).encode()) for part in ({"alg": algorithm}, {**standard, **claims}))
    signature = hmac.new(key.encode(), content.encode(), hashlib.sha256).digest()
    return f"{content}.{_encode(signature)}"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
