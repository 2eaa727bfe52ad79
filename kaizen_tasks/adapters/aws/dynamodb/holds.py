"""Holds as items of the app's DynamoDB table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.dynamodb.table import (
    NO_FORMER_NAMES,
    AppTable,
    attributes,
    old_item,
    parse_text,
    parse_time,
    sortable_timestamp,
)
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import UNKNOWN_TIME
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Holds

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.dynamodb.table import Item

KEY_PREFIX = "hold#"
TEXT_ATTRIBUTES = ("reason", "actor", "run_url")


class DynamoHolds(AppTable, Holds):
    """The holds of one app, stored as one item per environment: `pk` is `hold#<environment>`, `sk` is `hold`.

    Args:
        aws: clients of the account.
        app: the app's name.
        clock: tells which holds have expired.
        former_names: as in `AppTable`.
    """

    def __init__(
        self, aws: Aws, *, app: str, clock: Clock, former_names: Mapping[str, tuple[str, ...]] = NO_FORMER_NAMES
    ) -> None:
        super().__init__(aws, app=app, former_names=former_names)
        self._clock = clock

    def get(self, environment: str) -> Hold | None:
        """Return the active hold of an environment, or None; a consistent read."""
        return self.get_many([environment]).get(environment)

    def get_many(self, environments: Iterable[str]) -> dict[str, Hold]:
        """Return the active holds of some environments, by environment; consistent reads, 100 per request."""
        with self._table_errors("read the holds"):
            stored_names = [name for environment in environments for name in self._stored_names(environment)]
            holds = [self._active_hold(item) for item in self._read_items(map(_key, stored_names))]
        return {hold.environment: hold for hold in holds if hold is not None}

    def add(self, hold: Hold) -> Hold:
        """Write a hold if no other hold is active; return the hold now in place."""
        self._require_writable()
        dynamodb, key = self._dynamodb, _key(self._stored_name(hold.environment))
        with self._table_errors(f"hold {hold.environment}"):
            try:
                dynamodb.put_item(
                    TableName=self.table_name,
                    Item={**key, **attributes(hold, *TEXT_ATTRIBUTES, "since", "until")},
                    ConditionExpression="attribute_not_exists(pk) OR #until <= :now",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":now": {"S": sortable_timestamp(self._clock.now())}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return self._parse_hold(old_item(error))
        return hold

    def remove(self, environment: str) -> Hold | None:
        """Delete the hold of an environment; return the deleted hold if it was active, else None."""
        self._require_writable()
        removed = [self._remove_stored(name) for name in self._stored_names(environment)]
        return next((hold for hold in removed if hold is not None), None)

    def _remove_stored(self, stored_name: str) -> Hold | None:
        with self._table_errors(f"remove the hold of {stored_name}"):
            old = self._dynamodb.delete_item(TableName=self.table_name, Key=_key(stored_name), ReturnValues="ALL_OLD")
        return self._active_hold(old.get("Attributes", {}))

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
