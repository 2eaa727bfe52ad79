"""Passwords that prove themselves: signed with a secret of the state folder, so that none has to be kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.atomic_write import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGISTRY_PURPOSE = "registry"
REGISTRY_TOKEN_SECONDS = 12 * 3600  # AWS: Amazon ECR, "Private registry authentication"
_USER = "AWS"


class Tokens:
    """Issue tokens for one purpose each and tell the genuine ones.

    Args:
        path: the file with the secret; made where it is missing.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        if not path.exists():
            write_atomically(path, os.urandom(32), private=True)
        self._secret = path.read_bytes()
        self._clock = clock

    def issue(self, purpose: str = REGISTRY_PURPOSE, *, seconds: int = REGISTRY_TOKEN_SECONDS) -> str:
        """Make a new token.

        Args:
            purpose: what it opens.
            seconds: how long.
        """
        claim = f"{int(self._clock()) + seconds}.{os.urandom(24).hex()}"
        return f"{claim}.{self._sign(purpose, claim)}"

    def is_valid(self, purpose: str, token: str) -> bool:
        """Tell whether a token was issued for the purpose and has not expired."""
        claim, _, signature = token.rpartition(".")
        expected = self._sign(purpose, claim)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return False
        return int(claim.partition(".")[0]) > self._clock()

    def is_authorized(self, authorization: str) -> bool:
        """Tell whether an `Authorization` header opens the registry, as `docker login` would send it."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            return False
        return user == _USER and self.is_valid(REGISTRY_PURPOSE, password)

    def _sign(self, purpose: str, claim: str) -> str:
        return hmac.new(self._secret, f"{purpose} {claim}".encode(), hashlib.sha256).hexdigest()
