"""Ledger entries as lines of text, newest first: a sort key, a space, and the item's other attributes as JSON."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, overload

from kaizen_tasks.adapters.aws.dynamodb.entry_items import OPERATION_SUFFIX, item_key, join_operations
from kaizen_tasks.domain.ledger import Event, LedgerEntry, SearchableEntries

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

BLOCK_LINES = 5
"""How many lines are parsed together: one by one, they take twice as long. Mostly four are asked for."""

EVENT = re.compile(r'"event":\s*\{"S":\s*"([^"]*)"')
"""The name of the event of an item. In a person's text, such as a reason, JSON escapes the quotes."""


class LineEntries(SearchableEntries):
    """The entries in lines; each is parsed when it is first asked for. Safe to use from several threads.

    Args:
        lines: the lines of entries and of their operations, newest first.
        stored_name: the name under which they are stored.
    """

    def __init__(self, lines: Sequence[str], stored_name: str) -> None:
        self._lines = lines
        self._size = sum(not is_operation(line) for line in lines)
        self._parsed: list[LedgerEntry] = []
        self._unparsed = join_operations(_parse_lines(lines, stored_name))
        self._lock = Lock()

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> LedgerEntry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[LedgerEntry, ...]: ...
    def __getitem__(self, index: int | slice) -> LedgerEntry | tuple[LedgerEntry, ...]:
        positions = range(self._size)[index]
        if isinstance(positions, int):
            return self._parse(positions + 1)[positions]
        parsed = self._parse(max(positions, default=-1) + 1)
        return tuple(parsed[position] for position in positions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def of_events(self, events: Collection[Event]) -> Iterable[LedgerEntry]:
        """Return the entries of some events; none is parsed if no line has one of them."""
        return () if self._events.isdisjoint(events) else (entry for entry in self if entry.event in events)

    @cached_property
    def _events(self) -> frozenset[str]:
        """The names of the events of all entries, found in the text."""
        return frozenset(EVENT.findall("\n".join(self._lines)))

    def _parse(self, size: int) -> Sequence[LedgerEntry]:
        """Return what is parsed, at least so many entries."""
        with self._lock:
            self._parsed += itertools.islice(self._unparsed, max(size - len(self._parsed), 0))
        return self._parsed


def newest_lines(lines: Iterable[str], limit: int) -> Iterator[str]:
    """Yield the lines of so many of the newest entries, with those of their operations, which come before them."""
    count = 0
    for line in lines:
        yield line
        count += not is_operation(line)
        if count == limit:
            return


def sort_key(line: str) -> str:
    """Return the sort key of a line."""
    return line.partition(" ")[0]


def is_operation(line: str) -> bool:
    """Return whether a line is that of an operation."""
    return sort_key(line).endswith(OPERATION_SUFFIX)


def format_line(item: Item) -> str:
    """Return an item as a line, without what belongs to its place in the table.

    Raises:
        TypeError: JSON does not have one of its attributes.
    """
    content = {name: value for name, value in item.items() if name not in {"pk", "sk", "nonce"}}
    return f"{item['sk']['S']} {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}"


def _parse_lines(lines: Iterable[str], stored_name: str) -> Iterator[Item]:
    remaining = (line.split(" ", 1) for line in lines)
    while block := list(itertools.islice(remaining, BLOCK_LINES)):
        items: list[dict[str, AttributeValueTypeDef]] = json.loads(f"[{','.join(content for _, content in block)}]")
        for (key, _), item in zip(block, items, strict=True):
            item.update(item_key(stored_name, key))
            yield item
