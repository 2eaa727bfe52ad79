"""Signatures, checked with the library that receivers use, and keys."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kaizen_tasks.domain.notification.signature import signature_headers, signing_keys

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NEW_KEY = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
BODY = '{"subject":"coach: v1.2.3 was promoted to prod: ünïcode ✅"}'.encode()


def sign(*, keys: str = KEY, at: datetime | None = None) -> dict[str, str]:
    return signature_headers("abc123-4", BODY, at=at or datetime.now(UTC), keys=signing_keys(keys))


def test_receivers_verify_it_with_their_library() -> None:
    assert Webhook(KEY).verify(BODY, sign())["subject"].startswith("coach")


def test_headers_are_those_of_the_specification() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks, with the key of its libraries' tests."""
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
        keys=signing_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_key_is_changed_receivers_with_either_key_verify_it() -> None:
    headers = sign(keys=f"{NEW_KEY}\n{KEY}\n")

    assert Webhook(KEY).verify(BODY, headers) == Webhook(NEW_KEY).verify(BODY, headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "abc123-5"},
        {"webhook-timestamp": "1614265330"},
        {"webhook-signature": "v1,bm9wZQ=="},
    ],
)
def test_receivers_refuse_what_was_changed(changes: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(BODY, {**sign(), **changes})


def test_receivers_refuse_a_message_that_is_replayed_later() -> None:
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(KEY).verify(BODY, sign(at=datetime.now(UTC) - timedelta(minutes=6)))


def test_without_a_key_there_is_no_signature() -> None:
    headers = signature_headers("abc123-4", BODY, at=datetime.now(UTC), keys=())

    assert set(headers) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("hunter2", "does not begin with whsec_"),
        ("whsec_not base64!", "is not whsec_ and Base64"),
        ("whsec_" + base64.b64encode(b"short").decode(), "is a key of 5 bytes, which must have 24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "is a key of 65 bytes, which must have 24 to 64"),
        (f"{KEY} old", "does not begin with whsec_"),
    ],
)
def test_keys_that_no_receiver_could_have_are_refused_without_being_repeated(content: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^(?:is|does)") as caught:
        signing_keys(content)

    assert problem == str(caught.value)
