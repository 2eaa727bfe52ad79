"""The app's DynamoDB table, in which ledger, locks and holds are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from kaizen_tasks.adapters.aws.dynamodb.items import parse_float
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, Unreachable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        KeysAndAttributesTypeDef,
        TransactWriteItemTypeDef,
    )

    from kaizen_tasks.domain.notification.notification import Notification

    Item = Mapping[str, AttributeValueTypeDef]

MAX_BATCH_KEYS = 100  # DynamoDB's limit for BatchGetItem


TABLE_FORMAT = 1
"""The format that this version writes. A version whose items others must understand raises it: decision 0034."""

FORMAT_KEY: Item = {"pk": {"S": "format"}, "sk": {"S": "format"}}
NO_FORMER_NAMES: Mapping[str, tuple[str, ...]] = {}
_known_formats: WeakKeyDictionary[Aws, dict[str, int]] = WeakKeyDictionary()  # by table


class AppTable:
    """The table of one app, `kaizen-<app>`; the prefix of `pk` tells entries, locks and holds apart.

    What is written about an environment that was renamed is stored under its first name, so that runs with the
    configuration from before see it, and the other way round.

    Args:
        aws: clients of the account.
        app: the app's name.
        former_names: the names that environments had before, oldest first, by environment.
    """

    def __init__(self, aws: Aws, *, app: str, former_names: Mapping[str, tuple[str, ...]] = NO_FORMER_NAMES) -> None:
        self._aws = aws
        self.table_name = f"kaizen-{app}"
        self._former_names = former_names

    def _stored_names(self, environment: str) -> tuple[str, ...]:
        """Return the names under which an environment may have items; new ones are written under the first."""
        return (*self._former_names.get(environment, ()), environment)

    def _stored_name(self, environment: str) -> str:
        return self._stored_names(environment)[0]

    def _current_name(self, stored_name: str) -> str:
        names = (name for name, formerly in self._former_names.items() if stored_name in formerly)
        return next(names, stored_name)

    @property
    def is_format_known(self) -> bool:
        """Whether the format of the table has been read."""
        return self.table_name in self._formats

    def _require_writable(self) -> None:
        """Check that this version understands what others write; the format was mostly read with other items.

        Raises:
            Refused: a later version has changed the format.
        """
        if not self.is_format_known:
            with self._table_errors(f"read the format of the table {self.table_name}"):
                self._remember_format(self._read_item(FORMAT_KEY))
        table_format = self._formats[self.table_name]
        if table_format > TABLE_FORMAT:
            raise Refused(
                f"the table {self.table_name} has format {table_format}, and this version writes format {TABLE_FORMAT}",
                state=NOTHING_CHANGED,
                hint="use the version that the others use: python -m pip install --upgrade kaizen-tasks",
            )

    @property
    def _formats(self) -> dict[str, int]:
        return _known_formats.setdefault(self._aws, {})

    def _remember_format(self, item: Item) -> None:
        """Store the format of the table; tables of the first versions do not say theirs."""
        self._formats[self.table_name] = int(parse_float(item, "number")) or 1

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self._aws.dynamodb()

    def _read_item(self, key: Item) -> Item:
        """Return an item by a consistent read; an empty dict for a missing item."""
        return self._dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True).get("Item", {})

    def _read_items(self, keys: Iterable[Item]) -> Iterator[Item]:
        """Yield items by consistent reads, 100 per request; missing items are left out.

        The format is read with them if it is not known yet and there is room, so that it costs no request.
        Keys that a busy DynamoDB returns as unprocessed are requested again.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        """
        remaining = [*keys]
        asks_format = len(remaining) % MAX_BATCH_KEYS > 0 and not self.is_format_known
        remaining += [FORMAT_KEY] if asks_format else []
        while remaining:
            batch, remaining = remaining[:MAX_BATCH_KEYS], remaining[MAX_BATCH_KEYS:]
            request: KeysAndAttributesTypeDef = {"Keys": batch, "ConsistentRead": True}
            response = self._dynamodb.batch_get_item(RequestItems={self.table_name: request})
            for item in response["Responses"].get(self.table_name, []):
                if item["pk"] == FORMAT_KEY["pk"]:
                    self._remember_format(item)
                else:
                    yield item
            unprocessed_keys = response.get("UnprocessedKeys", {}).get(self.table_name, {"Keys": []})["Keys"]
            if len(unprocessed_keys) == len(batch):
                message = f"the table {self.table_name} is too busy to be read"
                raise Unreachable(message, hint="run the same command again")
            remaining += unprocessed_keys
        if asks_format:
            self._formats.setdefault(self.table_name, 1)

    def _notification_operations(self, notifications: Sequence[Notification]) -> list[TransactWriteItemTypeDef]:
        """Return the writes of notifications, for the transaction of what they tell; few apps have any."""
        if not notifications:
            return []
        from kaizen_tasks.adapters.aws.dynamodb.notification_items import notification_operations

        return notification_operations(self.table_name, notifications)

    def _table_errors(self, action: str) -> AbstractContextManager[None]:
        return aws_errors(action, not_found_hint="create it: inv setup")
