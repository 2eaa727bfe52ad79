"""The ledger as items of the app's DynamoDB table, shared by everybody who releases the app."""

from __future__ import annotations

import heapq
import itertools
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.entry_items import (
    AFTER_NUMBERS,
    entry_item,
    is_in_span,
    join_operations,
    operation_item,
    stored_name_of,
)
from kaizen_tasks.adapters.aws.dynamodb.items import sortable_timestamp
from kaizen_tasks.adapters.aws.dynamodb.recent_items import MAX_ENTRIES, RecentItems, recent_key
from kaizen_tasks.adapters.aws.dynamodb.table import FORMAT_KEY, NO_FORMER_NAMES, TABLE_FORMAT, AppTable
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import LedgerEntry, written_since
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Ledger

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.domain.notification.notification import Notification

TABLE_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 2.0


class DynamoLedger(AppTable, Ledger):
    """The ledger of one app, and the table that stores it.

    `pk` is `ledger#<environment>` and `sk` is `n#` and the entry's number, so that a query returns an environment's
    entries in the order in which they were written. In entries of earlier versions `sk` is the time, which sorts before
    all numbers. An intent's operation, which becomes known later, is a separate item: its `sk` is the intent's and `~`,
    so that it sorts after the intent. See docs/decisions/0026-clocks-of-two-machines-are-never-compared.md.

    After all of them, with the `sk` `n$`, comes a copy of the newest ones in one item. Each write replaces it in the
    same transaction, so that few requests read the newest entries of many environments. Versions that do not know it
    write beside it: whether it is up to date is seen by the newest item, or by the keys that the next one has.

    Args:
        aws: clients of the account.
        app: the app's name.
        clock: measures the wait in `create`.
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
        self._recent_items: dict[str, RecentItems] = {}  # as last read or written; others may have written since

    def append_all(
        self, entries: Sequence[LedgerEntry], notifications: Sequence[Notification] = ()
    ) -> tuple[LedgerEntry, ...]:
        """Write entries of one environment as new items under the first free numbers, and return them with these.

        Several runs may write at the same moment: the condition lets one of them have a number.
        """
        if self.is_format_known:  # if not, no lock was acquired either: not worth a request
            self._require_writable()
        stored_name = self._stored_name(entries[0].environment)
        others = self._notification_operations(notifications)
        nonce: Item = {"nonce": {"S": secrets.token_hex(8)}}
        recent = self._recent_items.get(stored_name) or self._read_recent(stored_name)
        while True:
            numbered = tuple(evolve(entry, number=recent.last_number + 1 + i) for i, entry in enumerate(entries))
            items = [{**entry_item(entry, stored_name), **nonce} for entry in numbered]
            in_place = self._write(items, recent, others)
            # If the response to an earlier attempt was lost, our own items are in the way.
            if in_place is None or in_place.get("nonce") == nonce["nonce"]:
                if notifications:
                    self._news.set()
                return numbered
            recent = self._read_recent(stored_name)

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record the identifier of the operation that carries out an intent."""
        stored_name = self._stored_name(intent.environment)
        item = operation_item(intent, operation, stored_name)
        recent = self._recent_items.get(stored_name) or self._read_recent(stored_name)
        while self._write([item], recent) == {}:
            recent = self._read_recent(stored_name)

    def _write(
        self, items: Sequence[Item], recent: RecentItems, others: Sequence[TransactWriteItemTypeDef] = ()
    ) -> Item | None:
        """Write new items, their copy beside the recent ones, and what belongs to them, or nothing of all this.

        Returns:
            None if they were written. Otherwise the item in place of the first one; empty if there is none, because
            somebody else has written since the recent items were read.
        """
        written = recent.with_items(items)
        operations = [*(self._creation(item) for item in items), written.replace(recent, self.table_name), *others]
        with self._table_errors(f"write to the ledger {self.table_name}"):
            obstacles = write_transaction(self._dynamodb, operations)
        if obstacles:
            self._recent_items.pop(recent.stored_name, None)
            return obstacles[0] or {}
        self._recent_items[recent.stored_name] = written
        return None

    def _creation(self, item: Item) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's newest entries, newest first; a consistent read."""
        histories = (self._newest_entries(name, limit) for name in self._stored_names(environment))
        # What was written under several names is in the order of time: no number spans them.
        entries = heapq.merge(*histories, key=lambda entry: entry.at, reverse=True)
        return tuple(_renamed(entry, environment) for entry in itertools.islice(entries, limit))

    def _newest_entries(self, stored_name: str, limit: int) -> Iterable[LedgerEntry]:
        entries = self._read_copy(stored_name).entries(limit)
        return join_operations(self._query(stored_name, max_items=2 * limit)) if entries is None else entries

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> dict[str, Sequence[LedgerEntry]]:
        """Return the newest entries of environments, newest first, by environment: two requests for a hundred of them.

        The second one asks whether a version that does not know the copies has written since. What is stored under
        several names is left out, because there is mostly no copy under all of them.
        """
        names = {self._stored_name(name): name for name in environments if len(self._stored_names(name)) == 1}
        with self._table_errors(f"read the ledger {self.table_name}"):
            copies = [RecentItems.parse(item) for item in self._read_items(map(recent_key, names))]
            readable = [(copy, entries) for copy in copies if (entries := copy.entries(limit)) is not None]
            following = self._read_items(key for copy, entries in readable for key in copy.following_keys(entries))
            stale_names = {stored_name_of(item) for item in following}
        found: dict[str, Sequence[LedgerEntry]] = {}
        for copy, entries in readable:
            if copy.stored_name not in stale_names:
                found[names[copy.stored_name]] = entries
                self._recent_items[copy.stored_name] = copy
        return found

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, newest first; consistent reads.

        Entries are in the order of their numbers, so pages are read until one has no entry of the span.
        """
        histories = [self._query_since(name, since) for name in self._stored_names(environment)]
        entries = [*heapq.merge(*histories, key=lambda entry: entry.at, reverse=True)]
        return tuple(_renamed(entry, environment) for entry in written_since(entries, since))

    def _query_since(self, stored_name: str, since: datetime) -> list[LedgerEntry]:
        """Return the entries since a time; DynamoDB filters, except those of earlier versions and unknown times."""
        items: list[Item] = []
        with self._table_errors(f"read the ledger {self.table_name}"):
            for page in self._dynamodb.get_paginator("query").paginate(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk AND sk < :end",
                FilterExpression="NOT begins_with(#at, :century) OR #at >= :since",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={
                    **_partition_values(stored_name),
                    ":century": {"S": "20"},
                    ":since": {"S": sortable_timestamp(since)},
                },
                ScanIndexForward=False,
                ConsistentRead=True,
            ):
                items += page["Items"]
                if not any(is_in_span(item, since) for item in page["Items"]):
                    break
        return [*join_operations(items)]

    def _read_recent(self, stored_name: str) -> RecentItems:
        """Return the newest items under a name, from their copy if it is up to date."""
        recent = self._read_copy(stored_name)
        if not recent.is_usable:
            max_items = 2 * MAX_ENTRIES
            items = self._query(stored_name, max_items=max_items)
            is_complete = len(items) < max_items
            recent = RecentItems.from_items(stored_name, items, is_complete=is_complete, revision=recent.revision)
        return recent

    def _read_copy(self, stored_name: str) -> RecentItems:
        """Return the copy of the newest items under a name; only its revision if it is missing or not up to date."""
        newest = self._query(stored_name, max_items=2, condition="sk <= :end")
        if newest and newest[0]["sk"]["S"] == AFTER_NUMBERS:
            copy = RecentItems.parse(newest[0])
            copy = copy if copy.is_current(newest[1:]) else copy.without_items()
        else:
            copy = RecentItems(stored_name=stored_name, is_complete=not newest)
        if copy.is_usable:
            self._recent_items[stored_name] = copy
        return copy

    def _query(self, stored_name: str, *, max_items: int, condition: str = "sk < :end") -> list[Item]:
        """Return the newest items under a name, newest first; their copy is left out by the usual condition."""
        paginator = self._dynamodb.get_paginator("query")
        with self._table_errors(f"read the ledger {self.table_name}"):
            result_pages = paginator.paginate(
                TableName=self.table_name,
                KeyConditionExpression=f"pk = :pk AND {condition}",
                ExpressionAttributeValues=_partition_values(stored_name),
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": max_items, "PageSize": max_items},
            )
            return [item for page in result_pages for item in page["Items"]]

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

    def write_format(self) -> None:
        """Write which format this version writes, unless the table says already which one it has."""
        dynamodb = self._dynamodb
        is_there = dynamodb.exceptions.ConditionalCheckFailedException
        with self._table_errors(f"write to the table {self.table_name}"), suppress(is_there):
            dynamodb.put_item(
                TableName=self.table_name,
                Item={**FORMAT_KEY, "number": {"N": str(TABLE_FORMAT)}},
                ConditionExpression="attribute_not_exists(pk)",
            )

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


def _renamed(entry: LedgerEntry, environment: str) -> LedgerEntry:
    """Return an entry under the name that its environment has now."""
    return entry if entry.environment == environment else evolve(entry, environment=environment)


def _partition_values(stored_name: str) -> Item:
    """Return the values of the condition that selects an environment's entries and their operations."""
    key = recent_key(stored_name)
    return {":pk": key["pk"], ":end": key["sk"]}
