"""The reference of messages, compared with what is sent."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kaizen_tasks.domain.notification.message import message_from_json
from kaizen_tasks.domain.notification.signature import signature_headers, signing_keys
from tests.support.notify_messages import promoted

PAGE = (Path(__file__).parents[2] / "docs/reference/messages.md").read_text(encoding="utf-8")
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = promoted().to_json().encode()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def functions() -> dict[str, Any]:
    """Return what the snippets define."""
    names: dict[str, Any] = {}
    for snippet in blocks("python"):
        exec(snippet.replace("whsec_…", KEY), names)
    return names


def headers() -> dict[str, str]:
    return signature_headers("k3y-2", BODY, at=datetime.now(UTC), keys=signing_keys(KEY))


def test_snippets_verify_what_is_sent() -> None:
    defined = functions()

    assert defined["receive"](headers(), BODY)["key"] == "k3y-2"
    assert defined["verify"](headers(), BODY, KEY)


def test_snippet_refuses_what_was_changed_or_is_old() -> None:
    verify = functions()["verify"]

    assert not verify(headers(), BODY + b" ", KEY)
    assert not verify({**headers(), "webhook-timestamp": "1614265330"}, BODY, KEY)


def test_example_is_a_message_with_all_fields() -> None:
    (example,) = map(json.loads, blocks("json"))

    assert example == json.loads(message_from_json(json.dumps(example)).to_json())


def test_every_field_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z_\[\].]+)` \|", PAGE, re.MULTILINE))

    document = promoted().document()
    fields = {*document, *(f"changes[].{name}" for name in document["changes"][0])}
    assert fields == explained
