"""The ledger as items of the app's DynamoDB table, shared by everybody who releases the app."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.table import AppTable, attributes, sortable_timestamp
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Ledger

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.dynamodb.table import Item

OPERATION_EVENT = "operation"  # of an item that adds the operation to an intent, since entries are never changed
TEXT_ATTRIBUTES = ("environment", "version", "commit", "digest", "actor", "operation", "replaces", "reason")
TABLE_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 2.0


class DynamoLedger(AppTable, Ledger):
    """The ledger of one app, and the table that stores it.

    `pk` is `ledger#<environment>` and `sk` is the time with microseconds and a random part, so that a query
    returns an environment's entries in order. An intent's operation, which becomes known later, is a separate item: its
    `sk` is the intent's time and `~`, so that the item sorts after the intent.

    Args:
        aws: clients of the account.
        app: the app's name.
        clock: measures the wait in `create`.
    """

    def __init__(self, aws: Aws, *, app: str, clock: Clock) -> None:
        super().__init__(aws, app=app)
        self._clock = clock

    def append(self, entry: LedgerEntry) -> None:
        """Write an entry as a new item."""
        item: Item = {
            "pk": {"S": _partition_key(entry.environment)},
            "sk": {"S": f"{sortable_timestamp(entry.at)}#{secrets.token_hex(8)}"},
            "event": {"S": entry.event.value},
            "took": {"N": f"{entry.took:.3f}"},
            **attributes(entry, *TEXT_ATTRIBUTES),
            **({"configuration": {"S": entry.configuration}} if entry.configuration else {}),
        }
        self._put(item)

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record the identifier of the operation that carries out an intent."""
        key: Item = {"pk": {"S": _partition_key(intent.environment)}, "sk": {"S": f"{sortable_timestamp(intent.at)}#~"}}
        self._put({**key, "event": {"S": OPERATION_EVENT}, "operation": {"S": operation}})

    def _put(self, item: Item) -> None:
        dynamodb = self._dynamodb
        with self._table_errors(f"write to the ledger {self.table_name}"):
            try:
                dynamodb.put_item(TableName=self.table_name, Item=item, ConditionExpression="attribute_not_exists(pk)")
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return  # the key is unique: an earlier attempt whose response was lost has written it

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's newest entries, newest first; a consistent read."""
        paginator = self._dynamodb.get_paginator("query")
        with self._table_errors(f"read the ledger {self.table_name}"):
            result_pages = paginator.paginate(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": _partition_key(environment)}},
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": 2 * limit, "PageSize": 2 * limit},
            )
            items = [item for page in result_pages for item in page["Items"]]
        return tuple(_join_operations(items))[:limit]

    def exists(self) -> bool:
        """Return whether the table exists and is usable."""
        dynamodb = self._dynamodb
        with self._table_errors(f"read the table {self.table_name}"):
            try:
                table = dynamodb.describe_table(TableName=self.table_name)["Table"]
            except dynamodb.exceptions.ResourceNotFoundException:
                return False
        return table["TableStatus"] in {"ACTIVE", "UPDATING"}

    def create(self) -> None:
        """Create the table, billed by request, if it is missing; then enable point-in-time recovery.

        Raises:
            Unreachable: the table was not usable, or had no continuous backups, within two minutes.
        """
        dynamodb = self._dynamodb
        already_exists = dynamodb.exceptions.ResourceInUseException
        with self._table_errors(f"create the table {self.table_name}"), suppress(already_exists):
            dynamodb.create_table(
                TableName=self.table_name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )
        self._wait_until(self.exists, "was not active")
        self._wait_until(self._enable_point_in_time_recovery, "had no continuous backups")

    def _enable_point_in_time_recovery(self) -> bool:
        """Enable point-in-time recovery; return False while DynamoDB does not yet offer it for a new table."""
        dynamodb = self._dynamodb
        with self._table_errors(f"make the table {self.table_name} recoverable"):
            try:
                dynamodb.update_continuous_backups(
                    TableName=self.table_name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
                )
            except dynamodb.exceptions.ContinuousBackupsUnavailableException:
                return False
        return True

    def _wait_until(self, is_ready: Callable[[], bool], shortcoming: str) -> None:
        deadline = self._clock.monotonic() + TABLE_TIMEOUT_SECONDS
        while not is_ready():
            if self._clock.monotonic() >= deadline:
                message = f"the table {self.table_name} {shortcoming} after {TABLE_TIMEOUT_SECONDS:.0f} s"
                raise Unreachable(message, hint="run the same command again")
            self._clock.sleep(POLL_SECONDS)


def _partition_key(environment: str) -> str:
    return f"ledger#{environment}"


def _join_operations(items: Iterable[Item]) -> Iterator[LedgerEntry]:
    """Yield the entries among items, newest first; set the operation of each intent, whose own item comes before."""
    operations: dict[str, str] = {}
    for item in items:
        timestamp, _, _ = item["sk"]["S"].partition("#")
        if item["event"]["S"] == OPERATION_EVENT:
            operations[timestamp] = item["operation"]["S"]
        else:
            entry = _parse_entry(item, timestamp)
            lacks_operation = entry.event is Event.STARTED and not entry.operation
            yield evolve(entry, operation=operations.get(timestamp, "")) if lacks_operation else entry


def _parse_entry(item: Item, timestamp: str) -> LedgerEntry:
    return LedgerEntry(
        event=Event(item["event"]["S"]),
        at=datetime.fromisoformat(timestamp),
        configuration=item["configuration"]["S"] if "configuration" in item else "",
        took=float(item.get("took", {"N": "0"})["N"]),
        **{name: item[name]["S"] for name in TEXT_ATTRIBUTES},
    )
