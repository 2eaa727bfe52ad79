"""The temporary credentials in responses of moto's STS."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.server.credentials import TemporaryCredentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.localcloud.server.http_message import HttpResponse

STS = "sts"
"""The signing name."""

_TEMPORARY_KEY = "Credential=ASIA"  # how the keys of roles begin, in AWS and in moto
_MEMBERS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


def has_temporary_key(authorization: str) -> bool:
    """Return whether a signature was made with the key of an assumed role."""
    return _TEMPORARY_KEY in authorization


def read_issued(response: HttpResponse) -> Iterator[TemporaryCredentials]:
    """Yield the credentials in a response, which has them at most once."""
    text = response.body.decode() if isinstance(response.body, bytes) else ""
    matches = [re.search(f"<{name}>([^<]+)</{name}>", text) for name in _MEMBERS]
    values = [match[1] for match in matches if match]
    if len(values) == len(_MEMBERS):
        key, secret, token, expiration = values
        yield TemporaryCredentials(
            access_key_id=key,
            secret_access_key=secret,
            session_token=token,
            expires=datetime.fromisoformat(expiration).timestamp(),
        )
