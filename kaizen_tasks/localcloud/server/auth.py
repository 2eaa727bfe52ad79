"""Signed tokens, which are validated without being stored: the registry's passwords and layer addresses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGISTRY_PURPOSE = "registry"
REGISTRY_TOKEN_SECONDS = 12 * 3600  # AWS: Amazon ECR, "Private registry authentication"
_USER = "AWS"
_KEY_BYTES = 32


class LoginStatus(Enum):
    """What a client's `Authorization` header is worth."""

    VALID = auto()
    MISSING = auto()
    EXPIRED = auto()
    INVALID = auto()


class Tokens:
    """Issues and validates tokens, each for one purpose.

    Args:
        path: the file with the signing key, which is created if it does not exist.
        clock: returns seconds since the epoch.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        if not path.exists():
            write_atomically(path, os.urandom(_KEY_BYTES))
        self._secret = load_state(path, _check_key)
        self._clock = clock

    def issue(self, purpose: str = REGISTRY_PURPOSE, *, seconds: int = REGISTRY_TOKEN_SECONDS) -> str:
        """Return a new token.

        Args:
            purpose: what it gives access to.
            seconds: how long it is valid.
        """
        claim = f"{int(self._clock()) + seconds}.{os.urandom(24).hex()}"
        return f"{claim}.{self._sign(purpose, claim)}"

    def is_valid(self, purpose: str, token: str) -> bool:
        """Return whether a token was issued for the purpose and has not expired."""
        return self._is_issued(purpose, token) and not self._has_expired(token)

    def check_login(self, authorization: str) -> LoginStatus:
        """Return the status of a Basic `Authorization` header, as `docker login` makes clients send it."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "basic":
            return LoginStatus.MISSING
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            return LoginStatus.INVALID
        if user != _USER or not self._is_issued(REGISTRY_PURPOSE, password):
            return LoginStatus.INVALID
        return LoginStatus.EXPIRED if self._has_expired(password) else LoginStatus.VALID

    def _is_issued(self, purpose: str, token: str) -> bool:
        claim, _, signature = token.rpartition(".")
        return hmac.compare_digest(self._sign(purpose, claim).encode(), signature.encode())

    def _has_expired(self, token: str) -> bool:
        return int(token.partition(".")[0]) <= self._clock()

    def _sign(self, purpose: str, claim: str) -> str:
        return hmac.new(self._secret, f"{purpose} {claim}".encode(), hashlib.sha256).hexdigest()


def _check_key(content: bytes) -> bytes:
    if len(content) != _KEY_BYTES:
        raise ValueError(f"a key of {_KEY_BYTES} bytes was expected")
    return content
