"""Signed webhooks, received and verified over real connections."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from standardwebhooks.webhooks import Webhook

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.notification.message import message_from_json
from kaizen_tasks.domain.notification.target import NotifyTarget
from tests.adapters.notify.targets import messenger_with
from tests.support.notify_messages import HOSTILE, promoted
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

PATH = "/hooks/s3cr3tT0kenValue"
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TARGET = NotifyTarget(name="deploys", webhook_secret="kaizen/hook", signing_secret="kaizen/key")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(script={f"POST {PATH}": [Reply(body=b"ok")]}) as server:
        yield server


def test_receiver_verifies_a_message_and_reads_it(server: ScriptedServer) -> None:
    message = promoted(details=(HOSTILE,))
    messenger = messenger_with(clock=SystemClock(), kaizen_hook=f"{server.url}{PATH}\n", kaizen_key=KEY)

    assert messenger.send(message, TARGET) == ""

    [request] = server.requests
    document = Webhook(KEY).verify(request.body, dict(request.headers))
    assert document["subject"] == message.subject
    assert message == message_from_json(json.dumps(document))
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


def test_text_that_is_no_utf8_is_sent_with_question_marks(server: ScriptedServer) -> None:
    messenger = messenger_with(clock=SystemClock(), kaizen_hook=f"{server.url}{PATH}", kaizen_key=KEY)

    messenger.send(promoted(details=("by ad\udce9",)), TARGET)

    assert Webhook(KEY).verify(server.requests[0].body, dict(server.requests[0].headers))["details"] == ["by ad?"]


def test_every_attempt_has_the_same_key_and_body(server: ScriptedServer) -> None:
    messenger = messenger_with(kaizen_hook=f"{server.url}{PATH}", kaizen_key=KEY)

    for _ in range(2):
        messenger.send(promoted(), TARGET)

    first, second = server.requests
    assert first.headers["Webhook-Id"] == second.headers["Webhook-Id"] == "k3y-2"
    assert first.body == second.body


def test_without_a_signing_key_a_message_has_its_idempotency_key_alone(server: ScriptedServer) -> None:
    target = NotifyTarget(name="deploys", webhook=f"{server.url}{PATH}")

    messenger_with(is_local=False).send(promoted(), target)

    [request] = server.requests
    assert request.headers["Webhook-Id"] == "k3y-2"
    assert "Webhook-Signature" not in request.headers


def test_secret_may_be_an_object_with_one_value_as_the_aws_console_makes_it(server: ScriptedServer) -> None:
    content = json.dumps({"url": f"{server.url}{PATH}"})

    messenger_with(kaizen_hook=content, kaizen_key=json.dumps({"key": KEY})).send(promoted(), TARGET)

    assert len(server.requests) == 1
