"""Ledger entries as items of the app's DynamoDB table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.items import attributes, parse_float, parse_text, parse_time, sortable_timestamp
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.dynamodb.items import Item

PARTITION_PREFIX = "ledger#"
NUMBER_PREFIX = "n#"
AFTER_NUMBERS = "n$"  # sorts after every number and its operation, and before whatever later versions add
OPERATION_SUFFIX = "~"
OPERATION_EVENT = "operation"  # of an item that adds the operation to an intent, since entries are never changed
TEXT_ATTRIBUTES = ("environment", "version", "commit", "digest", "actor", "operation", "replaces", "reason")
OPTIONAL_ATTRIBUTES = ("configuration", "run_url", "platform", "url", "command")
PARSED_TEXTS = frozenset({*TEXT_ATTRIBUTES, *OPTIONAL_ATTRIBUTES})
NO_TEXTS = dict.fromkeys(TEXT_ATTRIBUTES, "")
NUMBER = re.compile(rf"{NUMBER_PREFIX}([0-9]+)")
EVENTS: Mapping[str, Event] = {event.value: event for event in Event}
INTENTS = frozenset({Event.STARTED, Event.COMMAND_STARTED, Event.RAN})


def item_key(stored_name: str, sort_key: str) -> Item:
    """Return the key of an item of an environment's part of the ledger."""
    return {"pk": {"S": f"{PARTITION_PREFIX}{stored_name}"}, "sk": {"S": sort_key}}


def stored_name_of(item: Item) -> str:
    """Return the name of the environment under which an item is stored."""
    return item["pk"]["S"].removeprefix(PARTITION_PREFIX)


def number_key(number: int) -> str:
    """Return the sort key of a numbered entry; `n` sorts after the digits with which keys of earlier versions begin."""
    return f"{NUMBER_PREFIX}{number:012d}"


def operation_key(intent: LedgerEntry) -> str:
    """Return the sort key of the item that adds the operation to an intent."""
    key = number_key(intent.number) if intent.number else f"{sortable_timestamp(intent.at)}#"
    return f"{key}{OPERATION_SUFFIX}"


def parse_number(sort_key: str) -> int:
    """Return the number in the sort key of an entry or its operation; 0 for a key of an earlier version."""
    match = NUMBER.match(sort_key)
    return int(match[1]) if match else 0


def entry_item(entry: LedgerEntry, stored_name: str) -> Item:
    """Return the item of an entry that is stored under a name of its environment."""
    return {
        **item_key(stored_name, number_key(entry.number)),
        "event": {"S": entry.event.value},
        "took": {"N": f"{entry.took:.3f}"},
        **attributes(evolve(entry, environment=stored_name), "at", *TEXT_ATTRIBUTES),
        **{name: {"S": getattr(entry, name)} for name in OPTIONAL_ATTRIBUTES if getattr(entry, name)},
        **({"irreversible": {"BOOL": True}} if entry.irreversible else {}),
    }


def operation_item(intent: LedgerEntry, operation: str, stored_name: str) -> Item:
    """Return the item that adds the operation to an intent."""
    key = item_key(stored_name, operation_key(intent))
    return {**key, "event": {"S": OPERATION_EVENT}, "operation": {"S": operation}}


def join_operations(items: Iterable[Item]) -> Iterator[LedgerEntry]:
    """Yield the entries among items, newest first; set the operation of each intent, whose own item comes before."""
    operations: dict[str, str] = {}
    for item in items:
        if parse_text(item, "event") == OPERATION_EVENT:
            operations[_intent_key(item["sk"]["S"])] = parse_text(item, "operation")
            continue
        entry = _parse_entry(item)
        operation = operations.get(_intent_key(item["sk"]["S"])) if operations and lacks_operation(entry) else ""
        yield evolve(entry, operation=operation) if operation else entry


def lacks_operation(entry: LedgerEntry) -> bool:
    """Return whether the operation of an entry is another item, if it is known."""
    return entry.event in INTENTS and not entry.operation


def _intent_key(sort_key: str) -> str:
    """Return what the sort keys of an intent and its operation share: the number, or the time in earlier versions."""
    return sort_key.rstrip(OPERATION_SUFFIX) if sort_key.startswith(NUMBER_PREFIX) else sort_key.partition("#")[0]


def is_in_span(item: Item, since: datetime) -> bool:
    """Return whether an item is an entry that was written since a time; an unknown time is not."""
    at = None if parse_text(item, "event") == OPERATION_EVENT else _parse_entry_time(item)
    return at is not None and at >= since


def _parse_entry_time(item: Item) -> datetime | None:
    """Return the time of an entry, which its key has in earlier versions; None for one that cannot be read."""
    return parse_time(item, "at") or parse_time({"at": {"S": item["sk"]["S"].partition("#")[0]}}, "at")


def _parse_entry(item: Item) -> LedgerEntry:
    """Return an entry; one that only a later version understands has the event `UNKNOWN`."""
    sort_key, event_name = item["sk"]["S"], parse_text(item, "event")
    texts = NO_TEXTS | {name: value.get("S", "") for name, value in item.items() if name in PARSED_TEXTS}
    at = _parse_entry_time(item)
    is_understood = event_name in EVENTS and at and texts["version"] and texts["digest"]
    return LedgerEntry(
        event=EVENTS[event_name] if is_understood else Event.UNKNOWN,
        unknown_event="" if is_understood else event_name or "?",
        at=at or UNKNOWN_TIME,
        number=parse_number(sort_key),
        took=parse_float(item, "took"),
        irreversible=item.get("irreversible", {}).get("BOOL", False),
        **(texts | {"environment": stored_name_of(item)}),
    )
