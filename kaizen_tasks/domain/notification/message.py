"""A message as a target gets it, and as the outbox stores it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import asdict, frozen

from kaizen_tasks.domain.notification.topic import Topic

SCHEMA = 1
"""The number of the JSON document's form; what is added to it does not change the number."""


@frozen(kw_only=True)
class Link:
    """An address in a message.

    Attributes:
        label: what it leads to: `the run`, `staging`.
        url: the address.
    """

    label: str
    url: str


@frozen(kw_only=True)
class Change:
    """What happened in one environment.

    Attributes:
        environment: the environment's name.
        topic: what happened.
        at: when, in UTC.
        actor: who caused it, as in the ledger.
        version: the release, `v1.2.3`; empty for an environment whose release is unknown.
        reason: why it failed, or the reason that a person gave; else empty.
        seconds: how long it took from its beginning to its end; 0 when unknown.
        run_url: address of the CI run, or empty.
        url: address of the app in the environment, or empty.
    """

    environment: str
    topic: Topic
    at: datetime
    actor: str
    version: str = ""
    reason: str = ""
    seconds: float = 0.0
    run_url: str = ""
    url: str = ""


@frozen(kw_only=True)
class Message:
    """One message to one target: plain text in parts, for targets that show them apart, and the facts behind it.

    No part has control characters or line ends; what markup a target has, it must escape itself.

    Attributes:
        key: the idempotency key. A message that is sent again has the same key; no other message has it.
        app: the app's name.
        topic: what it is about; a failure if it is about several changes of which one has failed.
        subject: one line: `coach: v1.2.3 was promoted to prod`.
        details: further lines: by whom, how long it took, why it failed.
        whats_new: entries of the release's changelog, a few, shortened.
        next_step: what to type next, `inv promote-prod`, or empty.
        links: the CI run and the apps, if they have addresses.
        thread: what it continues: messages with the same `thread` are about one release.
        summary: how the thread stands after this message, one line for each stage; for a message that is edited.
        changes: what happened, by environment; those that the message is news of.
    """

    key: str
    app: str
    topic: Topic
    subject: str
    details: tuple[str, ...] = ()
    whats_new: tuple[str, ...] = ()
    next_step: str = ""
    links: tuple[Link, ...] = ()
    thread: str = ""
    summary: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def body(self) -> str:
        """All lines below the subject, as plain text."""
        return "\n".join(
            (
                *self.details,
                *(("What's new:", *(f"- {entry}" for entry in self.whats_new)) if self.whats_new else ()),
                *((f"next: {self.next_step}",) if self.next_step else ()),
                *(f"{link.label}: {link.url}" for link in self.links),
            )
        )

    @property
    def text(self) -> str:
        """The whole message as plain text."""
        return f"{self.subject}\n{self.body}".rstrip()

    def document(self) -> dict[str, Any]:
        """Return the message as a JSON document."""
        return {"schema": SCHEMA, **asdict(self, value_serializer=_to_json)}

    def to_json(self) -> str:
        """Return the document as JSON in one line."""
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":"))


def message_from_json(text: str) -> Message:
    """Return a message that `to_json` wrote.

    Raises:
        ValueError: it is not such a message, or one of a later version that this one does not understand.
    """
    try:
        return _parse_message(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a message: {error}") from error


def _parse_message(document: Mapping[str, Any]) -> Message:
    return Message(
        key=str(document["key"]),
        app=str(document["app"]),
        topic=Topic(document["topic"]),
        subject=str(document["subject"]),
        details=tuple(map(str, document["details"])),
        whats_new=tuple(map(str, document["whats_new"])),
        next_step=str(document["next_step"]),
        links=tuple(Link(label=str(link["label"]), url=str(link["url"])) for link in document["links"]),
        thread=str(document["thread"]),
        summary=tuple(map(str, document["summary"])),
        changes=tuple(map(change_from_json, document["changes"])),
    )


def change_to_json(change: Change) -> dict[str, Any]:
    """Return a change as JSON values."""
    return asdict(change, value_serializer=_to_json)


def change_from_json(document: Mapping[str, Any]) -> Change:
    """Return a change that `change_to_json` wrote."""
    return Change(
        topic=Topic(document["topic"]),
        at=datetime.fromisoformat(document["at"]),
        seconds=float(document["seconds"]),
        **{name: str(document[name]) for name in ("environment", "actor", "version", "reason", "run_url", "url")},
    )


def _to_json(_instance: object, _attribute: object, value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
