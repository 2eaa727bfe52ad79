"""What everything that stands in the app's DynamoDB table has in common: its name, its door, how it writes times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

    from kaizen_tasks.adapters.aws.session import Aws

    Item = Mapping[str, AttributeValueTypeDef]
    Key = Item

MAX_BATCH_KEYS = 100
"""Items that one question may ask for."""


class AppTable:
    """One table for one app, `kaizen-<app>`; the prefix of `pk` says what an item is.

    Args:
        aws: whose table.
        app: the app's name.
    """

    def __init__(self, aws: Aws, *, app: str) -> None:
        self._aws = aws
        self.table_name = f"kaizen-{app}"

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self._aws.dynamodb()

    def _read_items(self, keys: Iterable[Key]) -> Iterator[Item]:
        """Read items consistently, a hundred with one question; those that are not there are left out.

        What DynamoDB gives back unread, as it may when it is busy, is asked for again.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html

        Raises:
            Unreachable: it gives everything back.
        """
        remaining = [*keys]
        while remaining:
            batch, remaining = remaining[:MAX_BATCH_KEYS], remaining[MAX_BATCH_KEYS:]
            request: KeysAndAttributesTypeDef = {"Keys": batch, "ConsistentRead": True}
            response = self._dynamodb.batch_get_item(RequestItems={self.table_name: request})
            yield from response["Responses"].get(self.table_name, [])
            unprocessed_keys = response.get("UnprocessedKeys", {}).get(self.table_name, {"Keys": []})["Keys"]
            if len(unprocessed_keys) == len(batch):
                raise Unreachable(
                    f"the table {self.table_name} is too busy to be read", hint="run the same command again"
                )
            remaining += unprocessed_keys

    def _table_errors(self, action: str) -> AbstractContextManager[None]:
        return aws_errors(action, not_found_hint="create it: inv setup")


def sortable_timestamp(moment: datetime) -> str:
    """Write a time so that text sorts as time does: in UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
