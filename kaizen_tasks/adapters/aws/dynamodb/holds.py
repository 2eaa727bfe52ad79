"""Holds as items of the app's DynamoDB table."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.dynamodb.items import attributes, old_item, parse_text, parse_time, sortable_timestamp
from kaizen_tasks.adapters.aws.dynamodb.table import NO_FORMER_NAMES, AppTable
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import UNKNOWN_TIME
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Holds

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import DeleteTypeDef, PutTypeDef, TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.domain.notification.notification import Notification
    from kaizen_tasks.ports.state import HoldNotifier

KEY_PREFIX = "hold#"
TEXT_ATTRIBUTES = ("reason", "actor", "run_url")


class DynamoHolds(AppTable, Holds):
    """The holds of one app, stored as one item per environment: `pk` is `hold#<environment>`, `sk` is `hold`.

    Args:
        aws: clients of the account.
        app: the app's name.
        clock: tells which holds have expired.
        former_names: as in `AppTable`.
        news: set whenever a notification was written.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        app: str,
        clock: Clock,
        former_names: Mapping[str, tuple[str, ...]] = NO_FORMER_NAMES,
        news: threading.Event | None = None,
    ) -> None:
        super().__init__(aws, app=app, former_names=former_names)
        self._clock = clock
        self._news = news or threading.Event()

    def get(self, environment: str) -> Hold | None:
        """Return the active hold of an environment, or None; a consistent read."""
        return self.get_many([environment]).get(environment)

    def get_many(self, environments: Iterable[str]) -> dict[str, Hold]:
        """Return the active holds of some environments, by environment; consistent reads, 100 per request."""
        with self._table_errors("read the holds"):
            stored_names = [name for environment in environments for name in self._stored_names(environment)]
            holds = [self._active_hold(item) for item in self._read_items(map(_key, stored_names))]
        return {hold.environment: hold for hold in holds if hold is not None}

    def add(self, hold: Hold, notifications: Sequence[Notification] = ()) -> Hold:
        """Write a hold if no other hold is active; return the hold now in place."""
        self._require_writable()
        put: PutTypeDef = {
            "TableName": self.table_name,
            "Item": {
                **_key(self._stored_name(hold.environment)),
                **attributes(hold, *TEXT_ATTRIBUTES, "since", "until"),
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #until <= :now",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":now": {"S": sortable_timestamp(self._clock.now())}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with self._table_errors(f"hold {hold.environment}"):
            in_place = self._put(put, self._notification_operations(notifications))
        if notifications:
            self._news.set()
        return self._parse_hold(in_place) if in_place else hold

    def _put(self, put: PutTypeDef, others: Sequence[TransactWriteItemTypeDef]) -> Item:
        """Write an item on its condition, with what belongs to it; return what is in the way, or an empty item."""
        dynamodb = self._dynamodb
        if others:
            obstacles = write_transaction(dynamodb, [{"Put": put}, *others])
            return (obstacles[0] or {}) if obstacles else {}
        try:
            dynamodb.put_item(**put)
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            return old_item(error)
        return {}

    def remove(self, environment: str, *, notify: HoldNotifier | None = None) -> Hold | None:
        """Delete the hold of an environment; return the deleted hold if it was active, else None."""
        self._require_writable()
        remove = self._remove_stored if notify is None else partial(self._remove_and_tell, notify)
        removed = [remove(name) for name in self._stored_names(environment)]
        return next((hold for hold in removed if hold is not None), None)

    def _remove_stored(self, stored_name: str) -> Hold | None:
        with self._table_errors(f"remove the hold of {stored_name}"):
            old = self._dynamodb.delete_item(TableName=self.table_name, Key=_key(stored_name), ReturnValues="ALL_OLD")
        return self._active_hold(old.get("Attributes", {}))

    def _remove_and_tell(self, notify: HoldNotifier, stored_name: str) -> Hold | None:
        """Delete a hold with the notifications of its removal, if it is as it was read; else read it again.

        A transaction does not return what it has deleted.
        """
        dynamodb = self._dynamodb
        with self._table_errors(f"remove the hold of {stored_name}"):
            item = self._read_item(_key(stored_name))
            while (hold := self._active_hold(item)) is not None:
                values: Item = {f":{name}": item[name] for name in ("since", "actor") if name in item}
                delete: DeleteTypeDef = {
                    "TableName": self.table_name,
                    "Key": _key(stored_name),
                    "ConditionExpression": " AND ".join(f"#{name[1:]} = {name}" for name in values),
                    "ExpressionAttributeNames": {f"#{name[1:]}": name[1:] for name in values},
                    "ExpressionAttributeValues": values,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
                others = self._notification_operations(notify(hold))
                obstacles = write_transaction(dynamodb, [{"Delete": delete}, *others])
                if not obstacles:
                    self._news.set()
                    return hold
                item = obstacles[0] or {}
        return self._remove_stored(stored_name) if item else None

    def _active_hold(self, item: Item) -> Hold | None:
        hold = self._parse_hold(item) if item else None
        return None if hold is None or hold.is_expired(self._clock.now()) else hold

    def _parse_hold(self, item: Item) -> Hold:
        return Hold(
            environment=self._current_name(item["pk"]["S"].removeprefix(KEY_PREFIX)),
            since=parse_time(item, "since") or UNKNOWN_TIME,
            until=parse_time(item, "until"),
            **{name: parse_text(item, name) for name in TEXT_ATTRIBUTES},
        )


def _key(environment: str) -> Item:
    return {"pk": {"S": f"{KEY_PREFIX}{environment}"}, "sk": {"S": "hold"}}
