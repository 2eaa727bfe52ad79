"""Temporary credentials: sessions of roles, each of one account.

Nothing is stored. A session token says whose it is and is signed by the cloud, and the secret key is derived from it,
so that credentials which a client has kept survive a restart of the cloud.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import string
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPORARY_PREFIX = "ASIA"
"""How the access keys of sessions begin: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html."""

_KEY_LENGTH = 20
_ALPHABET = string.ascii_uppercase + string.digits


@attrs.frozen(kw_only=True)
class Principal:
    """Whoever signs a request.

    Args:
        account: the account number.
        arn: the user, or the session of a role.
        user_id: its unique identifier.
    """

    account: str
    arn: str
    user_id: str

    @property
    def is_role_session(self) -> bool:
        """Return whether it is the session of a role."""
        return ":assumed-role/" in self.arn

    @property
    def role_arn(self) -> str:
        """Return the role of a session, without its path; an empty string for a user."""
        name = self.arn.rpartition(":assumed-role/")[2].partition("/")[0]
        return f"arn:aws:iam::{self.account}:role/{name}" if self.is_role_session else ""


def role_session(account: str, role: str, name: str, role_id: str) -> Principal:
    """Return the session of a role.

    Args:
        account: the role's account.
        role: the role's name, without a path.
        name: the session's name.
        role_id: the role's unique identifier.
    """
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
    return Principal(account=account, arn=arn, user_id=f"{role_id}:{name}")


@attrs.frozen(kw_only=True)
class TemporaryCredentials:
    """The credentials of a session.

    Args:
        access_key_id: names the key.
        secret_access_key: that key.
        session_token: what requests have to send with a signature by the key.
    """

    access_key_id: str
    secret_access_key: str = attrs.field(repr=False)
    session_token: str = attrs.field(repr=False)

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the variables by which SDKs use these credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


@attrs.frozen(kw_only=True)
class Session:
    """Who uses temporary credentials, and until when.

    Args:
        principal: the user or the session of a role.
        expires: seconds since the epoch; None for ever.
        secret_access_key: the key that requests are signed with.
    """

    principal: Principal
    expires: float | None
    secret_access_key: str = attrs.field(repr=False)


class Sessions:
    """Issues and recognises temporary credentials.

    Args:
        secret: known to this cloud alone.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def issue(self, principal: Principal, expires: float | None) -> TemporaryCredentials:
        """Return new credentials.

        Args:
            principal: who will use them.
            expires: seconds since the epoch; None for ever.
        """
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH - len(TEMPORARY_PREFIX)))
        access_key_id = f"{TEMPORARY_PREFIX}{suffix}"
        claim = {"key": access_key_id, "expires": expires, **attrs.asdict(principal)}
        content = base64.urlsafe_b64encode(json.dumps(claim).encode()).decode()
        token = f"{content}.{self._digest('token', content)}"
        return TemporaryCredentials(
            access_key_id=access_key_id, secret_access_key=self._digest("key", token)[:40], session_token=token
        )

    def find(self, access_key_id: str, session_token: str) -> Session | None:
        """Return the session of a key and its token, also an expired one; None if they were not issued here."""
        content, _, signature = session_token.partition(".")
        if not hmac.compare_digest(self._digest("token", content).encode(), signature.encode()):
            return None
        claim = json.loads(base64.urlsafe_b64decode(content))
        if claim.pop("key") != access_key_id:
            return None
        expires = claim.pop("expires")
        return Session(
            principal=Principal(**claim), expires=expires, secret_access_key=self._digest("key", session_token)[:40]
        )

    def _digest(self, purpose: str, text: str) -> str:
        return hmac.new(self._secret, f"{purpose} {text}".encode(), hashlib.sha256).hexdigest()
