"""The ledger as items of the app's DynamoDB table, shared by everybody who releases the app."""

from __future__ import annotations

import heapq
import itertools
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.outbox import notification_operations
from kaizen_tasks.adapters.aws.dynamodb.table import (
    FORMAT_KEY,
    NO_FORMER_NAMES,
    TABLE_FORMAT,
    AppTable,
    attributes,
    old_item,
    parse_float,
    parse_text,
    parse_time,
    sortable_timestamp,
)
from kaizen_tasks.adapters.aws.dynamodb.transaction import put_with_others
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry, written_since
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Ledger

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.table import Item
    from kaizen_tasks.domain.notification.notification import Notification

PARTITION_PREFIX = "ledger#"
NUMBER_PREFIX = "n#"
AFTER_NUMBERS = "n$"  # sorts after every number and its operation, and before whatever later versions add
OPERATION_EVENT = "operation"  # of an item that adds the operation to an intent, since entries are never changed
TEXT_ATTRIBUTES = ("environment", "version", "commit", "digest", "actor", "operation", "replaces", "reason")
OPTIONAL_ATTRIBUTES = ("configuration", "run_url", "platform", "url", "command")
INTENTS = frozenset({Event.STARTED, Event.COMMAND_STARTED, Event.RAN})
TABLE_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 2.0


class DynamoLedger(AppTable, Ledger):
    """The ledger of one app, and the table that stores it.

    `pk` is `ledger#<environment>` and `sk` is `n#` and the entry's number, so that a query returns an environment's
    entries in the order in which they were written. In entries of earlier versions `sk` is the time, which sorts before
    all numbers. An intent's operation, which becomes known later, is a separate item: its `sk` is the intent's and `~`,
    so that it sorts after the intent. See docs/decisions/0026-clocks-of-two-machines-are-never-compared.md.

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
        self._last_numbers: dict[str, int] = {}  # as last read or written; others may have written since

    def append(self, entry: LedgerEntry, notifications: Sequence[Notification] = ()) -> LedgerEntry:
        """Write an entry as a new item under the first free number, and return it with the number.

        Several runs may write at the same moment: the condition lets one of them have a number.
        """
        written = self._append(entry, notification_operations(self.table_name, notifications))
        if notifications:
            self._news.set()
        return written

    def _append(self, entry: LedgerEntry, others: Sequence[TransactWriteItemTypeDef]) -> LedgerEntry:
        if self.is_format_known:  # if not, no lock was acquired either: not worth a request
            self._require_writable()
        nonce: Item = {"nonce": {"S": secrets.token_hex(8)}}
        if entry.environment not in self._last_numbers:
            self._query(entry.environment, max_items=1)
        while True:
            numbered = evolve(entry, number=self._last_numbers[entry.environment] + 1)
            item = _entry_item(evolve(numbered, environment=self._stored_name(entry.environment)))
            stored = self._put({**item, **nonce}, others)
            if stored.get("nonce") == nonce["nonce"]:  # if the response to an earlier attempt was lost, found in place
                self._remember_number(entry.environment, numbered.number)
                return numbered
            self._remember_number(entry.environment, numbered.number)
            self._query(entry.environment, max_items=1)

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record the identifier of the operation that carries out an intent."""
        sort_key = _sort_key(intent.number) if intent.number else f"{sortable_timestamp(intent.at)}#"
        key: Item = {"pk": {"S": _partition_key(self._stored_name(intent.environment))}, "sk": {"S": f"{sort_key}~"}}
        self._put({**key, "event": {"S": OPERATION_EVENT}, "operation": {"S": operation}})

    def _put(self, item: Item, others: Sequence[TransactWriteItemTypeDef] = ()) -> Item:
        """Write an item unless its key exists, and what belongs to it; return the item now in place."""
        dynamodb = self._dynamodb
        with self._table_errors(f"write to the ledger {self.table_name}"):
            if others:
                return put_with_others(dynamodb, self.table_name, item, others)
            try:
                dynamodb.put_item(
                    TableName=self.table_name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return old_item(error)
        return item

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's newest entries, newest first; a consistent read."""
        item_lists = [
            self._query(environment, max_items=2 * limit),
            *(self._query_name(name, max_items=2 * limit) for name in self._stored_names(environment)[1:]),
        ]
        histories = (_join_operations(items) for items in item_lists)
        # What was written under several names is in the order of time: no number spans them.
        entries = heapq.merge(*histories, key=lambda entry: entry.at, reverse=True)
        return tuple(evolve(entry, environment=environment) for entry in itertools.islice(entries, limit))

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, newest first; consistent reads.

        Entries are in the order of their numbers, so pages are read until one has no entry of the span.
        """
        histories = [self._query_since(name, since) for name in self._stored_names(environment)]
        entries = [*heapq.merge(*histories, key=lambda entry: entry.at, reverse=True)]
        return tuple(evolve(entry, environment=environment) for entry in written_since(entries, since))

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
                if not written_since([*_join_operations(page["Items"])], since):
                    break
        return [*_join_operations(items)]

    def _query(self, environment: str, *, max_items: int) -> list[Item]:
        """Return the newest items under the name that is written, newest first, and remember the last number."""
        items = self._query_name(self._stored_name(environment), max_items=max_items)
        self._remember_number(environment, _parse_number(items[0]["sk"]["S"]) if items else 0)
        return items

    def _query_name(self, stored_name: str, *, max_items: int) -> list[Item]:
        paginator = self._dynamodb.get_paginator("query")
        with self._table_errors(f"read the ledger {self.table_name}"):
            result_pages = paginator.paginate(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk AND sk < :end",
                ExpressionAttributeValues=_partition_values(stored_name),
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": max_items, "PageSize": max_items},
            )
            return [item for page in result_pages for item in page["Items"]]

    def _remember_number(self, environment: str, number: int) -> None:
        self._last_numbers[environment] = max(number, self._last_numbers.get(environment, 0))

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
        self._put({**FORMAT_KEY, "number": {"N": str(TABLE_FORMAT)}})

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
    return f"{PARTITION_PREFIX}{environment}"


def _partition_values(stored_name: str) -> Item:
    """Return the values of the condition that selects an environment's entries and their operations."""
    return {":pk": {"S": _partition_key(stored_name)}, ":end": {"S": AFTER_NUMBERS}}


def _sort_key(number: int) -> str:
    """Return the sort key of a numbered entry; `n` sorts after the digits with which keys of earlier versions begin."""
    return f"{NUMBER_PREFIX}{number:012d}"


def _parse_number(sort_key: str) -> int:
    """Return the number in the sort key of an entry or its operation; 0 for a key of an earlier version."""
    match = re.match(rf"{NUMBER_PREFIX}([0-9]+)", sort_key)
    return int(match[1]) if match else 0


def _entry_item(entry: LedgerEntry) -> Item:
    return {
        "pk": {"S": _partition_key(entry.environment)},
        "sk": {"S": _sort_key(entry.number)},
        "event": {"S": entry.event.value},
        "took": {"N": f"{entry.took:.3f}"},
        **attributes(entry, "at", *TEXT_ATTRIBUTES),
        **{name: {"S": getattr(entry, name)} for name in OPTIONAL_ATTRIBUTES if getattr(entry, name)},
        **({"irreversible": {"BOOL": True}} if entry.irreversible else {}),
    }


def _join_operations(items: Iterable[Item]) -> Iterator[LedgerEntry]:
    """Yield the entries among items, newest first; set the operation of each intent, whose own item comes before."""
    operations: dict[str, str] = {}
    for item in items:
        intent_key = _intent_key(item["sk"]["S"])
        if parse_text(item, "event") == OPERATION_EVENT:
            operations[intent_key] = parse_text(item, "operation")
        else:
            entry = _parse_entry(item)
            lacks_operation = entry.event in INTENTS and not entry.operation
            yield evolve(entry, operation=operations.get(intent_key, "")) if lacks_operation else entry


def _intent_key(sort_key: str) -> str:
    """Return what the sort keys of an intent and its operation share: the number, or the time in earlier versions."""
    return sort_key.rstrip("~") if sort_key.startswith(NUMBER_PREFIX) else sort_key.partition("#")[0]


def _parse_entry(item: Item) -> LedgerEntry:
    """Return an entry; one that only a later version understands has the event `UNKNOWN`."""
    sort_key, event_name = item["sk"]["S"], parse_text(item, "event")
    texts = {name: parse_text(item, name) for name in (*TEXT_ATTRIBUTES, *OPTIONAL_ATTRIBUTES)}
    at = parse_time(item, "at") or parse_time({"at": {"S": sort_key.partition("#")[0]}}, "at")
    is_understood = event_name in {*Event} and at and texts["version"] and texts["digest"]
    return LedgerEntry(
        event=Event(event_name) if is_understood else Event.UNKNOWN,
        unknown_event="" if is_understood else event_name or "?",
        at=at or UNKNOWN_TIME,
        number=_parse_number(sort_key),
        took=parse_float(item, "took"),
        irreversible=item.get("irreversible", {}).get("BOOL", False),
        **{**texts, "environment": item["pk"]["S"].removeprefix(PARTITION_PREFIX)},
    )
