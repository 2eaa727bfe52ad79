"""Signed JSON: https://www.standardwebhooks.com."""

from __future__ import annotations

from datetime import datetime

from kaizen_tasks.adapters.notify.receiver import Receiver
from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.signature import signature_headers

HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def send_json(message: Message, receiver: Receiver, *, keys: tuple[bytes, ...], now: datetime) -> None:
    """Send a message as a JSON document, whose headers have its idempotency key, the time and, with keys, a signature.

    Raises:
        Undelivered: the receiver has not accepted it.
    """
    body = message.to_json().encode(errors="replace")  # a name of the machine may be no UTF-8
    headers = {**HEADERS, **signature_headers(message.key, body, at=now, keys=keys)}
    receiver.require_accepted(receiver.post(body, headers), now=now)
