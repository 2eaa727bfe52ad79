"""The outbox as items of the app's DynamoDB table, written in the transactions of what they tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.items import attributes, parse_float, parse_text, parse_time, sortable_timestamp
from kaizen_tasks.adapters.aws.dynamodb.notification_items import NOTIFICATION_PREFIX, OUTBOX_KEY, parse_notification
from kaizen_tasks.adapters.aws.dynamodb.table import AppTable
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import UNKNOWN_TIME
from kaizen_tasks.domain.notification.message import message_from_json
from kaizen_tasks.domain.notification.notification import Notification, OutboxContent, QueuedMessage
from kaizen_tasks.domain.notification.thread import Place, Thread
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.ports.outbox import Outbox

if TYPE_CHECKING:
    from threading import Event

    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

Parsed = TypeVar("Parsed", Notification, QueuedMessage)

THREADS_KEY = "outbox#threads"
MESSAGE_PREFIX = "m#"
IF_ABSENT = "attribute_not_exists(pk)"
IF_PRESENT = "attribute_exists(pk)"
IF_OWNED = "#owner = :owner"


class DynamoOutbox(AppTable, Outbox):
    """The outbox of one app.

    All that is not delivered has the `pk` `outbox`, so that one query reads it: notifications, whose `sk` is `n#` and
    their time, and messages, whose `sk` is `m#` and their key. A thread has the `pk` `outbox#threads`, and as `sk` its
    target and its name. Versions without messages read neither.

    Args:
        aws: clients of the account.
        app: the app's name.
        news: set whenever this process has written a notification.
    """

    def __init__(self, aws: Aws, *, app: str, news: Event) -> None:
        super().__init__(aws, app=app)
        self._news = news
        self._problem = ""

    @property
    def news(self) -> Event:
        """Set whenever this process has written a notification."""
        return self._news

    @property
    def problem(self) -> str:
        """Why this process writes no notifications, or empty."""
        return self._problem

    def do_without(self, problem: str) -> None:
        """Remember why this process writes no notifications from now on."""
        self._problem = self._problem or problem

    def content(self) -> OutboxContent:
        """Return everything that is not delivered yet, oldest first; what only a later version understands is left."""
        items = list(self._query(OUTBOX_KEY))
        return OutboxContent(
            notifications=tuple(_parsed(parse_notification, items, NOTIFICATION_PREFIX)),
            messages=tuple(
                sorted(_parsed(_parse_message, items, MESSAGE_PREFIX), key=lambda message: message.queued_at)
            ),
        )

    def _query(self, partition_key: str) -> Iterator[Item]:
        paginator = self._dynamodb.get_paginator("query")
        with self._table_errors(f"read the outbox {self.table_name}"):
            pages = paginator.paginate(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition_key}},
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]

    def thread(self, target: str, name: str) -> Thread:
        """Return how a thread stands, without places that only a later version understands; empty if there is none."""
        with self._table_errors(f"read the outbox {self.table_name}"):
            item = self._read_item(_thread_key(target, name))
        if not item:
            return Thread(target=target, name=name)
        document = json.loads(parse_text(item, "document"))
        return Thread(
            target=target,
            name=name,
            token=parse_text(item, "token"),
            revision=int(parse_float(item, "revision")),
            reference=parse_text(item, "reference"),
            places={
                environment: Place(stage=stage, stage_size=size, topic=Topic(topic))
                for environment, (stage, size, topic) in document["places"].items()
                if topic in {*Topic}
            },
            whats_new=tuple(document["whats_new"]),
        )

    def queue(self, message: QueuedMessage, thread: Thread, notifications: Sequence[Notification]) -> bool:
        """Replace notifications by a message, if the thread is as it was read and no other run has told them."""
        written = _message_item(evolve(message, id=_message_id(message)))
        operations: list[TransactWriteItemTypeDef] = [
            {"Put": {"TableName": self.table_name, "Item": written, "ConditionExpression": IF_ABSENT}},
            self._thread_operation(thread),
            *(self._deletion(OUTBOX_KEY, notification.id) for notification in notifications),
        ]
        for operation in operations:
            next(iter(operation.values()))["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"  # type: ignore[index]
        with self._table_errors(f"write to the outbox {self.table_name}"):
            obstacles = write_transaction(self._dynamodb, operations)
        if not obstacles:
            return True
        in_place = obstacles[0] or {}  # this very message, if the answer to an earlier attempt was lost
        return in_place.get("document") == written["document"]

    def _thread_operation(self, thread: Thread) -> TransactWriteItemTypeDef:
        places = {
            environment: (place.stage, place.stage_size, place.topic) for environment, place in thread.places.items()
        }
        document = json.dumps({"places": places, "whats_new": thread.whats_new}, ensure_ascii=False)
        is_new = thread.revision == 1
        values: Item = {
            ":token": {"S": thread.token},
            ":revision": {"N": str(thread.revision)},
            ":document": {"S": document},
            **({} if is_new else {":before": {"N": str(thread.revision - 1)}}),
        }
        return {
            "Update": {
                "TableName": self.table_name,
                "Key": _thread_key(thread.target, thread.name),
                "UpdateExpression": "SET #token = :token, #revision = :revision, #document = :document",
                "ConditionExpression": IF_ABSENT if is_new else "#revision = :before AND #token = :token",
                "ExpressionAttributeNames": {f"#{name}": name for name in ("token", "revision", "document")},
                "ExpressionAttributeValues": values,
            }
        }

    def _deletion(self, partition_key: str, sort_key: str) -> TransactWriteItemTypeDef:
        key: Item = {"pk": {"S": partition_key}, "sk": {"S": sort_key}}
        return {"Delete": {"TableName": self.table_name, "Key": key, "ConditionExpression": IF_PRESENT}}

    def reserve(self, message: QueuedMessage, *, owner: str, until: datetime) -> QueuedMessage | None:
        """Write an owner into a message that has the same one, or none, as when it was read."""
        reserved = evolve(message, owner=owner, reserved_until=until)
        values: dict[str, Any] = {":owner": {"S": owner}, ":until": {"S": sortable_timestamp(until)}}
        condition = f"{IF_PRESENT} AND (attribute_not_exists(#owner) OR {IF_OWNED})"
        if message.owner:
            values[":before"] = {"S": message.owner}
            condition = f"{IF_PRESENT} AND (#owner = :before OR {IF_OWNED})"
        expression = "SET #owner = :owner, #until = :until"
        updated = self._update(_key(message), expression, condition, values, "owner", "until")
        return reserved if updated else None

    def remove(self, message: QueuedMessage, *, reference: str = "") -> None:
        """Delete a message that this run has reserved, and write the reference of its thread before that."""
        if reference:
            key, value = _thread_key(message.target, message.message.thread), {":reference": {"S": reference}}
            self._update(key, "SET #reference = :reference", IF_PRESENT, value, "reference")
        with self._table_errors(f"write to the outbox {self.table_name}"):
            self._dynamodb.delete_item(TableName=self.table_name, Key=_key(message))

    def postpone(self, message: QueuedMessage, *, error: str, until: datetime) -> None:
        """Count an attempt, and remove the owner, if the message is still there."""
        values: dict[str, Any] = {":due": {"S": sortable_timestamp(until)}, ":error": {"S": error}, ":one": {"N": "1"}}
        expression = "SET #due = :due, #error = :error REMOVE #owner, #until ADD #attempts :one"
        condition = IF_PRESENT
        if message.owner:
            values[":owner"] = {"S": message.owner}
            condition = f"{IF_PRESENT} AND {IF_OWNED}"
        self._update(_key(message), expression, condition, values, "due", "error", "owner", "until", "attempts")

    def _update(self, key: Item, expression: str, condition: str, values: Mapping[str, Any], *names: str) -> bool:
        """Change an item; return False if it does not meet the condition."""
        dynamodb = self._dynamodb
        with self._table_errors(f"write to the outbox {self.table_name}"):
            try:
                dynamodb.update_item(
                    TableName=self.table_name,
                    Key=key,
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={f"#{name}": name for name in names},
                    ExpressionAttributeValues=values,
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True


def _thread_key(target: str, name: str) -> Item:
    return {"pk": {"S": THREADS_KEY}, "sk": {"S": f"{target}#{name}"}}


def _key(message: QueuedMessage) -> Item:
    return {"pk": {"S": OUTBOX_KEY}, "sk": {"S": _message_id(message)}}


def _message_id(message: QueuedMessage) -> str:
    return f"{MESSAGE_PREFIX}{message.message.key}"


def _message_item(message: QueuedMessage) -> Item:
    return {
        **_key(message),
        "target": {"S": message.target},
        "document": {"S": message.message.to_json()},
        "queued": {"S": sortable_timestamp(message.queued_at)},
        "due": {"S": sortable_timestamp(message.due_at)},
        "attempts": {"N": str(message.attempts)},
        **attributes(message, "error"),
    }


def _parsed(parse: Callable[[Item], Parsed], items: Iterable[Item], prefix: str) -> Iterator[Parsed]:
    """Yield what is stored under a prefix, without items that this version does not understand."""
    for item in items:
        if item["sk"]["S"].startswith(prefix):
            with suppress(ValueError, KeyError, TypeError):
                yield parse(item)


def _parse_message(item: Item) -> QueuedMessage:
    return QueuedMessage(
        id=parse_text(item, "sk"),
        message=message_from_json(parse_text(item, "document")),
        target=parse_text(item, "target"),
        queued_at=parse_time(item, "queued") or UNKNOWN_TIME,
        due_at=parse_time(item, "due") or UNKNOWN_TIME,
        attempts=int(parse_float(item, "attempts")),
        error=parse_text(item, "error"),
        owner=parse_text(item, "owner"),
        reserved_until=parse_time(item, "until"),
    )
