"""Messages as Slack shows them: blocks, and a text for whatever does not know blocks, such as Mattermost and Discord.

Limits: https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from kaizen_tasks.domain.notification.topic import Topic

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.message import Link, Message

Payload: TypeAlias = dict[str, Any]  # becomes JSON

MAX_SECTION_LENGTH = 2_900
"""Characters of a section; Slack refuses a message of which one has more than 3,000."""

MAX_TEXT_LENGTH = 1_900
"""Characters of the text, of which Discord takes 2,000, Mattermost 16,000 and Slack 40,000."""

MARKS = {
    Topic.RELEASED: "✅",
    Topic.PROMOTED: "✅",
    Topic.HOTFIXED: "✅",
    Topic.FAILED: "❌",
    Topic.COMMAND_FAILED: "❌",
    Topic.ROLLED_BACK: "↩️",
    Topic.HELD: "⏸️",
}
"""What a message begins with, so that it is told apart at a glance."""

LAST_OF_ONE_UNIT = 0xFFFF
"""Characters after this one are two units of UTF-16, which JavaScript counts, and Slack's limits with it."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""The only characters that Slack wants escaped, which otherwise begin mentions and links."""

ASTERISK_OPERATOR = "\u2217"
"""Looks like an asterisk, and does not end bold type."""

_NO_MENTION = "@\u200b"
"""An `@` before which no name is a mention. Mattermost and Discord find `@channel` and `@everyone` in any text, and
notify all; the character between them has no width."""


def message_payload(message: Message) -> Payload:
    """Return a message of its own: `text` and `blocks`."""
    sections = (_mark(message) + _bold(message.subject), _escape("\n".join(message.details)), *_appendix(message))
    return _payload(f"{_mark(message)}{message.text}", sections)


def thread_payload(message: Message) -> Payload:
    """Return the message of a release that is edited whenever there is news: how its stages stand."""
    if not message.summary:
        return message_payload(message)
    title = f"{message.app} {message.thread}"
    states, details = "\n".join(message.summary), "\n".join(message.details)
    sections = (_mark(message) + _bold(title), _escape(states), _escape(details), *_appendix(message))
    return _payload("\n".join(filter(None, (f"{_mark(message)}{title}", states, details))), sections)


def _mark(message: Message) -> str:
    return f"{MARKS[message.topic]} " if message.topic in MARKS else ""


def _appendix(message: Message) -> tuple[str, ...]:
    """Return the sections that follow what has happened: what is new, what to type next, and where to look."""
    whats_new = "\n".join(f"• {entry}" for entry in message.whats_new)
    return (
        f"*What's new*\n{_escape(whats_new)}" if whats_new else "",
        f"next: {_code(message.next_step)}" if message.next_step else "",
        _links(message.links),
    )


def _payload(text: str, sections: Iterable[str]) -> Payload:
    """Return text and blocks, without a block for an empty section, for which Slack refuses the whole message."""
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": True}}
        for section in filter(None, sections)
    ]
    return {"text": _escape(text, limit=MAX_TEXT_LENGTH), "blocks": blocks}


def _bold(text: str) -> str:
    return f"*{_escape(text.replace('*', ASTERISK_OPERATOR))}*"


def _code(text: str) -> str:
    return f"`{_escape(text.replace('`', chr(39)))}`"


def _links(links: Iterable[Link]) -> str:
    """Return links in one line, of which those are left out that do not fit."""
    line = ""
    for link in links:
        url = _escape(link.url.replace("|", "%7C"))
        part = f"{' · ' if line else ''}<{url}|{_escape(link.label)}>"
        if link.url.startswith(("https://", "http://")) and len(line) + len(part) <= MAX_SECTION_LENGTH:
            line += part
    return line


def _escape(text: str, *, limit: int = MAX_SECTION_LENGTH) -> str:
    """Return a text in which nothing is a link or a mention, and whose end is left out if it is too long."""
    escaped = list[str]()
    length = 0
    for character in text:
        replacement = _NO_MENTION if character == "@" else _ENTITIES.get(character, character)
        length += len(replacement) + (ord(character) > LAST_OF_ONE_UNIT)
        if length >= limit:
            return "".join((*escaped, "…"))
        escaped.append(replacement)
    return "".join(escaped)
