"""The app's DynamoDB table, in which ledger, locks and holds are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import Unreachable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

MAX_BATCH_KEYS = 100  # DynamoDB's limit for BatchGetItem


class AppTable:
    """The table of one app, `kaizen-<app>`; the prefix of `pk` tells entries, locks and holds apart.

    Args:
        aws: clients of the account.
        app: the app's name.
    """

    def __init__(self, aws: Aws, *, app: str) -> None:
        self._aws = aws
        self.table_name = f"kaizen-{app}"

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self._aws.dynamodb()

    def _read_item(self, key: Item) -> Item:
        """Return an item by a consistent read; an empty dict for a missing item."""
        return self._dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True).get("Item", {})

    def _read_items(self, keys: Iterable[Item]) -> Iterator[Item]:
        """Yield items by consistent reads, 100 per request; missing items are left out.

        Keys that a busy DynamoDB returns as unprocessed are requested again.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        """
        remaining = [*keys]
        while remaining:
            batch, remaining = remaining[:MAX_BATCH_KEYS], remaining[MAX_BATCH_KEYS:]
            request: KeysAndAttributesTypeDef = {"Keys": batch, "ConsistentRead": True}
            response = self._dynamodb.batch_get_item(RequestItems={self.table_name: request})
            yield from response["Responses"].get(self.table_name, [])
            unprocessed_keys = response.get("UnprocessedKeys", {}).get(self.table_name, {"Keys": []})["Keys"]
            if len(unprocessed_keys) == len(batch):
                message = f"the table {self.table_name} is too busy to be read"
                raise Unreachable(message, hint="run the same command again")
            remaining += unprocessed_keys

    def _table_errors(self, action: str) -> AbstractContextManager[None]:
        return aws_errors(action, not_found_hint="create it: inv setup")


def old_item(error: ClientError) -> Item:
    """Return the stored item that did not meet the condition of a write, which the type stubs omit."""
    return cast("Mapping[str, Item]", error.response)["Item"]


def sortable_timestamp(moment: datetime) -> str:
    """Return a time as text that sorts chronologically: in UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def attributes(value: object, *names: str) -> dict[str, AttributeValueTypeDef]:
    """Return the named attributes, text or times, as DynamoDB attribute values; those that are None are left out."""
    members = ((name, getattr(value, name)) for name in names if getattr(value, name) is not None)
    return {name: {"S": sortable_timestamp(x) if isinstance(x, datetime) else x} for name, x in members}


def parse_text(item: Item, name: str) -> str:
    """Return the text in an item's attribute; empty when a later version leaves it out or writes something else."""
    return item.get(name, {}).get("S", "")


def parse_float(item: Item, name: str) -> float:
    """Return the number in an item's attribute; 0 when the item has none."""
    return float(item.get(name, {}).get("N", "0"))


def parse_time(item: Item, name: str) -> datetime | None:
    """Return the time in an item's attribute, or None when the item has none."""
    try:
        moment = datetime.fromisoformat(parse_text(item, name))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
