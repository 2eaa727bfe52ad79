"""Notifications as items of the app's table, which are written in the transactions of what they tell."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.dynamodb.items import parse_text, sortable_timestamp
from kaizen_tasks.domain.notification.message import change_from_json, change_to_json
from kaizen_tasks.domain.notification.notification import Notification

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

OUTBOX_KEY = "outbox"
NOTIFICATION_PREFIX = "n#"


def notification_operations(table_name: str, notifications: Sequence[Notification]) -> list[TransactWriteItemTypeDef]:
    """Return the writes of notifications, for the transaction of what they tell.

    Their order is that of the times in them; a random part keeps those of several writers apart.
    """
    nonce = secrets.token_hex(8)
    operations: list[TransactWriteItemTypeDef] = []
    for index, notification in enumerate(notifications):
        sort_key = f"{NOTIFICATION_PREFIX}{sortable_timestamp(notification.change.at)}#{nonce}#{index:02d}"
        item: Item = {
            "pk": {"S": OUTBOX_KEY},
            "sk": {"S": sort_key},
            "target": {"S": notification.target},
            "thread": {"S": notification.thread},
            "document": {"S": json.dumps(_to_document(notification), ensure_ascii=False)},
        }
        operations.append({"Put": {"TableName": table_name, "Item": item}})
    return operations


def parse_notification(item: Item) -> Notification:
    """Return the notification in an item."""
    document = json.loads(parse_text(item, "document"))
    return Notification(
        id=parse_text(item, "sk"),
        target=parse_text(item, "target"),
        thread=parse_text(item, "thread"),
        change=change_from_json(document["change"]),
        stage=str(document["stage"]),
        stage_size=int(document["stage_size"]),
        commit=str(document["commit"]),
        next_step=str(document["next_step"]),
    )


def _to_document(notification: Notification) -> dict[str, Any]:
    return {
        "change": change_to_json(notification.change),
        "stage": notification.stage,
        "stage_size": notification.stage_size,
        "commit": notification.commit,
        "next_step": notification.next_step,
    }
