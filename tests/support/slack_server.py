"""A server that answers as Slack does, of one workspace, from memory: incoming webhooks, and chat of the Web API.

It refuses what Slack documents to refuse: https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/reference/block-kit/blocks/section-block and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

import json
import re
from typing import Any

from attrs import define, field

from tests.support.scripted_server import Reply, Request, ScriptedServer

TOKEN = "xoxb-1234-5678-abcdefghijklmnop"
CHANNEL_ID, CHANNEL = "C0123456789", "#releases"
WEBHOOK_PATH = "/services/T0AB12CD/B0XY98ZW/s3cr3tT0kenValue"

MAX_BLOCKS, MAX_SECTION, MAX_TEXT = 50, 3000, 40_000
ARGUMENTS = {
    "chat.postMessage": {
        *("channel", "text", "blocks", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "metadata"),
        "client_msg_id",
    },
    "chat.update": {"channel", "ts", "text", "blocks"},
}
MARKUP = re.compile(r"<https?://[^<>|]+\|[^<>]+>|&(?:amp|lt|gt);")
"""Links, and the three entities: with these taken out, a text has no `&`, `<` or `>`."""


class SlackError(Exception):
    """An error of Slack's, by its code; `notes` are its details."""

    def __init__(self, code: str, *notes: str) -> None:
        super().__init__(code)
        self.notes = notes


@define
class SlackServer(ScriptedServer):
    """Answers from memory what no script answers.

    Attributes:
        messages: the messages as they stand, by their time; replies have `thread_ts`.
        edits: how often each message was edited, by its time.
        hook_messages: what incoming webhooks have brought.
        members: channels in which the bot is.
    """

    messages: dict[str, dict[str, Any]] = field(factory=dict)
    edits: dict[str, int] = field(factory=dict)
    hook_messages: list[dict[str, Any]] = field(factory=list)
    members: set[str] = field(factory=lambda: {CHANNEL_ID})

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        return f"{self.url}{WEBHOOK_PATH}"

    @property
    def first_messages(self) -> list[dict[str, Any]]:
        """The messages of the channel that are no replies, oldest first."""
        return [message for message in self.messages.values() if "thread_ts" not in message]

    def replies(self, timestamp: str) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if message.get("thread_ts") == timestamp]

    def reply(self, request: Request) -> Reply:
        if self.question(request) in self.script:
            return super().reply(request)
        self.requests.append(request)
        if request.method == "POST" and request.path == WEBHOOK_PATH:
            return self._hook(request)
        if request.method == "POST" and request.path.startswith("/api/chat."):
            return self._api(request)
        return Reply(status=404, body=b"no_service")

    def _hook(self, request: Request) -> Reply:
        try:
            payload = _parse(request)
            _require_content(payload)
        except SlackError as error:
            return Reply(status=400, body=str(error).encode())
        self.hook_messages.append(payload)
        return Reply(body=b"ok")

    def _api(self, request: Request) -> Reply:
        method = request.path.removeprefix("/api/")
        try:
            _require_token(request)
            arguments = _parse(request)
            _require_arguments(arguments, ARGUMENTS[method])
            _require_content(arguments)
            answer = self._post(arguments) if method == "chat.postMessage" else self._update(arguments)
        except SlackError as error:
            details = {"response_metadata": {"messages": list(error.notes)}} if error.notes else {}
            answer = {"ok": False, "error": str(error), **details}
        return Reply(body=json.dumps(answer).encode(), headers={"Content-Type": "application/json; charset=utf-8"})

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments)
        if "thread_ts" in arguments and arguments["thread_ts"] not in self.messages:
            raise SlackError("thread_not_found")
        for timestamp, message in self.messages.items():
            if message.get("client_msg_id") == arguments.get("client_msg_id", ""):
                return {"ok": True, "channel": channel, "ts": timestamp, "message": message}
        timestamp = f"1503435956.{len(self.messages):06}"
        self.messages[timestamp] = arguments
        return {"ok": True, "channel": channel, "ts": timestamp, "message": arguments}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["channel"] != CHANNEL_ID:  # names are not accepted here
            raise SlackError("channel_not_found")
        channel, timestamp = self._channel(arguments), arguments["ts"]
        if timestamp not in self.messages:
            raise SlackError("message_not_found")
        self.messages[timestamp] |= arguments
        self.edits[timestamp] = self.edits.get(timestamp, 0) + 1
        return {"ok": True, "channel": channel, "ts": timestamp, "text": arguments["text"]}

    def _channel(self, arguments: dict[str, Any]) -> str:
        if arguments["channel"] not in {CHANNEL_ID, CHANNEL}:
            raise SlackError("channel_not_found")
        if CHANNEL_ID not in self.members:
            raise SlackError("not_in_channel")
        return CHANNEL_ID


def _require_token(request: Request) -> None:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise SlackError("invalid_auth" if "Authorization" in request.headers else "not_authed")


def _require_arguments(arguments: dict[str, Any], known: set[str]) -> None:
    if unknown := arguments.keys() - known:
        raise SlackError("invalid_arguments", *sorted(unknown))


def _parse(request: Request) -> dict[str, Any]:
    if request.headers["Content-Type"] != "application/json; charset=utf-8":
        raise SlackError("invalid_payload")
    try:
        payload = json.loads(request.body)
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(payload, dict):
        raise SlackError("invalid_payload")
    return payload


def _require_content(payload: dict[str, Any]) -> None:
    if not payload.get("text"):
        raise SlackError("no_text")
    if _length(payload["text"]) > MAX_TEXT:
        raise SlackError("msg_too_long")
    blocks = payload.get("blocks", [])
    if len(blocks) > MAX_BLOCKS:
        raise SlackError("invalid_blocks", f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        if block["type"] != "section":
            raise SlackError("invalid_blocks", f"unsupported type: {block['type']}")
        text = block["text"]["text"]
        if not 1 <= _length(text) <= MAX_SECTION:
            note = f"must be less than {MAX_SECTION + 1} characters [json-pointer:/blocks/{index}/text/text]"
            raise SlackError("invalid_blocks", note)
        require_no_mentions(text)
    require_no_mentions(payload["text"])


def require_no_mentions(text: str) -> None:
    """Check that nothing in a text is markup but links and entities, and that it names nobody."""
    assert not re.search(r"[<>&]", MARKUP.sub("", text)), text
    assert not re.search(r"@\w", text), text


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
