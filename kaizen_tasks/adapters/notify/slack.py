"""Slack: incoming webhooks, which Mattermost, Discord and others take too, and the Web API with the token of a bot."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from attrs import evolve, frozen

from kaizen_tasks.adapters.notify.receiver import MAX_REASON_LENGTH, Receiver
from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.slack import message_payload, thread_payload
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from kaizen_tasks.ports.secrets import Secret

API_URL = "https://slack.com/api/"
HEADERS = {"Content-Type": "application/json; charset=utf-8"}
PROGRESS_TOPICS = frozenset({Topic.STARTED, Topic.DEPLOYED})
"""News that an edited message shows, and that need no line in its thread."""

LOST_MESSAGE_ERRORS = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Errors of an edit after which a new message is written: somebody has deleted the old one, or it is too old."""

TRANSIENT_ERRORS = frozenset(
    {
        *("fatal_error", "internal_error", "message_limit_exceeded", "rate_limited", "ratelimited"),
        *("request_timeout", "service_unavailable", "team_added_to_org"),
    }
)

ERROR_HINTS = {
    "channel_not_found": "write the ID of the channel, such as C0123456789, and invite the bot: /invite @NAME",
    "not_in_channel": "invite the bot in that channel: /invite @NAME",
    "is_archived": "write another channel in [[notify]]",
    "missing_scope": "give the app the scope chat:write, and install it again",
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
        "write the token of the bot, which begins with xoxb-, into {setting}",
    ),
}
"""What to do about an error: https://docs.slack.dev/reference/methods/chat.postMessage#errors."""


def send_to_webhook(message: Message, receiver: Receiver, *, now: datetime) -> None:
    """Send a message to an incoming webhook.

    Raises:
        Undelivered: the receiver has not accepted it.
    """
    receiver.require_accepted(receiver.post(_to_json(message_payload(message)), HEADERS), now=now)


@frozen(kw_only=True)
class SlackBot:
    """The Web API, as a bot that writes in one channel.

    Attributes:
        receiver: the API: address, and the setting that holds the token.
        token: the token of the bot.
        channel: the ID or the name of the channel.
        now: the time of the attempt.
    """

    receiver: Receiver
    token: Secret
    channel: str
    now: datetime

    def send(self, message: Message, *, reference: str) -> str:
        """Write or edit the message of a release, and tell news in its thread; return channel and time of the message.

        The edit comes first, because it may be repeated: a line in the thread could be there twice.

        Args:
            message: the news.
            reference: what was returned for the release's first message; empty if there was none.

        Raises:
            Undelivered: the API has not accepted it.
        """
        channel, _, timestamp = reference.partition("/")
        payload = thread_payload(message)
        if timestamp:
            answer = self._call("chat.update", {"channel": channel, "ts": timestamp, **payload})
            if answer.get("error") not in LOST_MESSAGE_ERRORS:
                self._require_ok(answer)
                self._tell_in_thread(message, channel, timestamp)
                return reference
        answer = self._post(message, {"channel": self.channel, **payload})
        place = (answer.get("channel"), answer.get("ts"))
        return "/".join(map(str, place)) if all(place) else ""

    def _tell_in_thread(self, message: Message, channel: str, timestamp: str) -> None:
        """Write news into the thread; a failure is shown in the channel too, since an edit notifies nobody."""
        if message.topic in PROGRESS_TOPICS:
            return
        is_alarm = message.topic.is_failure or message.topic is Topic.ROLLED_BACK
        reply = {"channel": channel, "thread_ts": timestamp, "reply_broadcast": is_alarm}
        self._post(message, {**reply, **message_payload(message)})

    def _post(self, message: Message, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        """Write a message, with its idempotency key, which Slack honours for a short time and shows to other apps."""
        identity = {
            "client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{message.key}/{arguments.get('thread_ts', '')}")),
            "metadata": {"event_type": "kaizen_message", "event_payload": {"key": message.key}},
        }
        answer = self._call("chat.postMessage", {**arguments, "unfurl_links": False, "unfurl_media": False, **identity})
        return self._require_ok(answer)

    def _call(self, method: str, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        """Call a method and return its answer, which may be an error: the status is 200 then too."""
        receiver = evolve(self.receiver, url=f"{self.receiver.url.rstrip('/')}/{method}")
        response = receiver.post(_to_json(arguments), {**HEADERS, "Authorization": f"Bearer {self.token.reveal()}"})
        receiver.require_accepted(response, now=self.now)
        answer = _parse(response)
        if answer is None:
            raise receiver.error(f"{receiver.host} answers something else than Slack's API")
        return answer

    def _require_ok(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer that is no error.

        Raises:
            Undelivered: it is one.
        """
        if answer.get("ok") is True:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: Mapping[str, Any]) -> Undelivered:
        error = self.receiver.clean(str(answer.get("error")))[:MAX_REASON_LENGTH]
        metadata = answer.get("response_metadata")
        details = metadata.get("messages") if isinstance(metadata, Mapping) else None
        notes = "; ".join(map(str, details)) if isinstance(details, list) else ""
        message = f"Slack answers {error}{f': {self.receiver.clean(notes)[:MAX_REASON_LENGTH]}' if notes else ''}"
        is_transient = error in TRANSIENT_ERRORS
        hint = "" if is_transient else ERROR_HINTS.get(error, "correct what it names in [[notify]]")
        return self.receiver.error(
            message, hint=hint.format(setting=self.receiver.setting), is_permanent=not is_transient
        )


def _parse(response: ProbeResponse) -> Mapping[str, Any] | None:
    """Return the JSON object of a complete answer; None for anything else."""
    if response.status != HTTPStatus.OK or response.error:
        return None
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, Mapping) else None


def _to_json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode(errors="replace")  # a name of the machine may be no UTF-8
