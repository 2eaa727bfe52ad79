"""Identity tokens, as an OIDC provider issues them to a job of CI.

The local cloud is no provider. It accepts a JSON Web Token of any issuer that is signed by HS256 with the token of the
control API, which nobody knows who may not use the cloud.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import attrs

_HEADER_ALGORITHM = "HS256"


class InvalidTokenError(Exception):
    """A text that is no identity token, or is not signed as it should be."""


@attrs.frozen(kw_only=True)
class IdentityToken:
    """The claims of an identity token.

    Args:
        issuer: the provider, without `https://`.
        subject: whom the provider identifies.
        audience: whom the token is for.
        expires: seconds since the epoch.
    """

    issuer: str
    subject: str
    audience: str
    expires: float


def parse_identity_token(text: str, key: str) -> IdentityToken:
    """Return the claims of a token.

    Args:
        text: the token.
        key: what it has to be signed with.

    Raises:
        InvalidTokenError: the token is malformed, or signed otherwise.
    """
    try:
        content, _, signature = text.rpartition(".")
        header, claims = (json.loads(_decode(part)) for part in content.split("."))
        expected = hmac.new(key.encode(), content.encode(), hashlib.sha256).digest()
        if header["alg"] != _HEADER_ALGORITHM or not hmac.compare_digest(expected, _decode(signature)):
            raise InvalidTokenError("Couldn't retrieve verification key from your identity provider")
        return _from_claims(claims)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidTokenError("The ID Token provided is not a valid JWT") from error


def _from_claims(claims: Any) -> IdentityToken:
    audience = claims["aud"]
    return IdentityToken(
        issuer=str(claims["iss"]).removeprefix("https://"),
        subject=str(claims["sub"]),
        audience=str(audience[0] if isinstance(audience, list) else audience),
        expires=float(claims["exp"]),
    )


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
