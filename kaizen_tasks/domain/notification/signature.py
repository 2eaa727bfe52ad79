"""Signatures of webhooks, as their receivers' libraries check them: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

KEY_PREFIX = "whsec_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
"""Bytes of a key: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""

KEY_EXAMPLE = "whsec_ and the output of: openssl rand -base64 32"


def signing_keys(content: str) -> tuple[bytes, ...]:
    """Return the keys that a secret holds: one, or several with spaces between them while a receiver changes its key.

    Raises:
        ValueError: it holds no key, or something else; the message does not repeat it.
    """
    keys = tuple(map(_parse_key, content.split()))
    if not keys:
        raise ValueError("is empty")
    return keys


def _parse_key(text: str) -> bytes:
    if not text.startswith(KEY_PREFIX):
        raise ValueError(f"does not begin with {KEY_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"is not {KEY_PREFIX} and Base64") from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"is a key of {len(key)} bytes, which must have {MIN_KEY_BYTES} to {MAX_KEY_BYTES}")
    return key


def signature_headers(message_id: str, body: bytes, *, at: datetime, keys: tuple[bytes, ...]) -> dict[str, str]:
    """Return the headers by which a receiver knows who has sent a message, when, and whether it has it already.

    Args:
        message_id: the idempotency key, which is the same in every attempt; without a full stop.
        body: the body, byte for byte.
        at: the time of the attempt; receivers refuse one that is more than five minutes from theirs.
        keys: the signing keys; a receiver accepts the signature of any. Without one, there is no signature.
    """
    timestamp = str(int(at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    signature_header = {"webhook-signature": signatures} if keys else {}
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, **signature_header}
