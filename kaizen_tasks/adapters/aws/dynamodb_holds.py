"""Holds as items of the app's DynamoDB table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from kaizen_tasks.adapters.aws.dynamodb_table import AppTable, sortable
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.ports.state import Holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.ports.clock import Clock

    Item = Mapping[str, AttributeValueTypeDef]

PREFIX = "hold#"
TEXTS = ("reason", "actor")


class DynamoHolds(AppTable, Holds):
    """One item an environment: `pk` is `hold#<environment>`, `sk` is `hold`.

    Args:
        aws: whose table.
        app: the app's name.
        clock: says which holds have ended.
    """

    def __init__(self, aws: Aws, *, app: str, clock: Clock) -> None:
        super().__init__(aws, app=app)
        self._clock = clock

    def find(self, environment: str) -> Hold | None:
        """Return the hold that counts, read consistently."""
        with self._about(f"read the hold of {environment}"):
            found = self._dynamodb.get_item(TableName=self.table, Key=_key(environment), ConsistentRead=True)
        return self._counting(found.get("Item", {}))

    def all_of(self, environments: Iterable[str]) -> dict[str, Hold]:
        """Return the holds of several environments, read consistently, a hundred with one question."""
        with self._about("read the holds"):
            found = [self._counting(item) for item in self._items(map(_key, environments))]
        return {each.environment: each for each in found if each is not None}

    def add(self, hold: Hold) -> Hold:
        """Write a hold where none counts, and return the one that stands now."""
        dynamodb = self._dynamodb
        with self._about(f"hold {hold.environment}"):
            try:
                dynamodb.put_item(
                    TableName=self.table,
                    Item={**_key(hold.environment), **_values(hold)},
                    ConditionExpression="attribute_not_exists(pk) OR #until <= :now",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":now": {"S": sortable(self._clock.now())}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return _hold(cast("Mapping[str, Item]", error.response)["Item"])
        return hold

    def remove(self, environment: str) -> Hold | None:
        """End a hold, and return the one that counted until then."""
        with self._about(f"end the hold of {environment}"):
            gone = self._dynamodb.delete_item(TableName=self.table, Key=_key(environment), ReturnValues="ALL_OLD")
        return self._counting(gone.get("Attributes", {}))

    def _counting(self, item: Item) -> Hold | None:
        hold = _hold(item) if item else None
        return None if hold is None or hold.ended(self._clock.now()) else hold


def _key(environment: str) -> Item:
    return {"pk": {"S": f"{PREFIX}{environment}"}, "sk": {"S": "hold"}}


def _values(hold: Hold) -> Item:
    values: dict[str, AttributeValueTypeDef] = {name: {"S": getattr(hold, name)} for name in TEXTS}
    values["since"] = {"S": sortable(hold.since)}
    return {**values, "until": {"S": sortable(hold.until)}} if hold.until else values


def _hold(item: Item) -> Hold:
    return Hold(
        environment=item["pk"]["S"].removeprefix(PREFIX),
        since=datetime.fromisoformat(item["since"]["S"]),
        until=datetime.fromisoformat(item["until"]["S"]) if "until" in item else None,
        **{name: item[name]["S"] for name in TEXTS},
    )
