"""The app's DynamoDB table, which holds the ledger, the locks and the holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import Unreachable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    Key = Item

MAX_BATCH_KEYS = 100  # DynamoDB's limit for BatchGetItem


class AppTable:
    """One table for one app, `kaizen-<app>`; the prefix of `pk` says what an item is.

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

    def _read_items(self, keys: Iterable[Key]) -> Iterator[Item]:
        """Read items consistently, 100 a request; missing items are left out.

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
                raise Unreachable(
                    f"the table {self.table_name} is too busy to be read", hint="run the same command again"
                )
            remaining += unprocessed_keys

    def _table_errors(self, action: str) -> AbstractContextManager[None]:
        return aws_errors(action, not_found_hint="create it: inv setup")


def sortable_timestamp(moment: datetime) -> str:
    """Return a time as text that sorts chronologically: in UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
