"""The newest items of an environment's part of the ledger, of which the table has a copy in one item.

See docs/decisions/0070-one-item-per-environment-has-its-newest-ledger-entries.md.
"""

from __future__ import annotations

import itertools
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from kaizen_tasks.adapters.aws.dynamodb.entry_items import (
    AFTER_NUMBERS,
    item_key,
    lacks_operation,
    number_key,
    operation_key,
    parse_number,
    stored_name_of,
)
from kaizen_tasks.adapters.aws.dynamodb.entry_lines import LineEntries, format_line, newest_lines, sort_key
from kaizen_tasks.adapters.aws.dynamodb.items import parse_float, parse_text

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.domain.ledger import LedgerEntry

MAX_ENTRIES = 200
"""How many entries the item has: all that a rollout searches, see `flows.ledger.entries.HISTORY_LIMIT`."""

MAX_BYTES = 32_000
"""The size of the compressed copy at which its older half is left out; 200 usual entries take about 8 kB."""

COMPRESSION_LEVEL = 1
"""The fastest: others save a tenth more, and take four times as long."""

READ_BYTES = 8_000
"""How much text is decompressed at once: twenty usual entries."""

_EMPTY = zlib.compress(b"", COMPRESSION_LEVEL)


def recent_key(stored_name: str) -> Item:
    """Return the key of the item that has the newest items of an environment's part of the ledger."""
    return item_key(stored_name, AFTER_NUMBERS)


@frozen(kw_only=True)
class RecentItems:
    """The newest items that are stored under a name of an environment.

    Attributes:
        stored_name: the name.
        last_number: the number of the newest entry; 0 without one.
        is_complete: whether there are no older items than these.
        revision: which copy of the table this was read from, or is written as; empty if the table has none.
    """

    stored_name: str
    last_number: int = 0
    is_complete: bool = True
    revision: str = ""
    _content: bytes = field(default=_EMPTY, repr=False)
    """Lines, compressed; see `entry_lines`."""

    @classmethod
    def parse(cls, item: Item) -> RecentItems:
        """Return what the table's copy has; only its revision if a later version writes it in another way."""
        copy = cls(
            stored_name=stored_name_of(item),
            last_number=int(parse_float(item, "number")),
            is_complete=item.get("complete", {}).get("BOOL", False),
            revision=parse_text(item, "revision"),
            content=bytes(item.get("items", {}).get("B", b"")),
        )
        try:
            zlib.decompress(copy._content)
        except zlib.error:
            return copy.without_items()
        return copy

    @classmethod
    def from_items(cls, stored_name: str, items: Sequence[Item], *, is_complete: bool, revision: str) -> RecentItems:
        """Return what a query has found, newest first, in place of a copy that is missing or not up to date.

        What JSON does not have, as an attribute of a later version may be, is only read where it was written.
        """
        numbers = (parse_number(item["sk"]["S"]) for item in items)
        last_number = next(filter(None, numbers), 0)
        found = cls(stored_name=stored_name, last_number=last_number, is_complete=is_complete, revision=revision)
        try:
            return _limited(found, list(map(format_line, items)))
        except TypeError:
            return evolve(found, is_complete=False)

    def _read_lines(self) -> Iterator[str]:
        """Yield the lines, of which no more are decompressed than are asked for."""
        decompressor, compressed, begun = zlib.decompressobj(), self._content, b""
        while compressed:
            *lines, begun = (begun + decompressor.decompress(compressed, READ_BYTES)).split(b"\n")
            compressed = decompressor.unconsumed_tail
            yield from map(bytes.decode, lines)
        remaining = (begun + decompressor.flush()).decode()
        yield from remaining.split("\n") if remaining else ()

    @property
    def is_usable(self) -> bool:
        """Whether these are the newest items, at least some of them."""
        return self.is_complete or self._content != _EMPTY

    def without_items(self) -> RecentItems:
        """Return the revision alone, of a copy that is not up to date."""
        return RecentItems(stored_name=self.stored_name, is_complete=False, revision=self.revision)

    def is_current(self, others: Sequence[Item]) -> bool:
        """Return whether these have the newest of other items, newest first, that a query has found with them."""
        newest_key = sort_key(next(self._read_lines(), ""))
        return not others or newest_key >= others[0]["sk"]["S"]

    def entries(self, limit: int) -> LineEntries | None:
        """Return the newest entries, newest first; None if these items do not have so many, and there are more."""
        entries = LineEntries(list(newest_lines(self._read_lines(), limit)), self.stored_name)
        return entries if self.is_complete or len(entries) == limit else None

    def following_keys(self, newest: Sequence[LedgerEntry]) -> Iterator[Item]:
        """Yield the keys that one of the next items has, whoever writes it.

        Args:
            newest: the newest of these entries, newest first.
        """
        yield item_key(self.stored_name, number_key(self.last_number + 1))
        if newest and lacks_operation(newest[0]):
            yield item_key(self.stored_name, operation_key(newest[0]))

    def with_items(self, items: Iterable[Item]) -> RecentItems:
        """Return these items, with others that are about to be written, as a new revision."""
        lines = sorted([*map(format_line, items), *self._read_lines()], key=sort_key, reverse=True)
        last_number = max(self.last_number, parse_number(lines[0]))
        return _limited(evolve(self, last_number=last_number, revision=secrets.token_hex(8)), lines)

    @property
    def item(self) -> Item:
        """The item that is the copy."""
        return {
            **recent_key(self.stored_name),
            "number": {"N": str(self.last_number)},
            "complete": {"BOOL": self.is_complete},
            "revision": {"S": self.revision},
            "items": {"B": self._content},
        }

    def replace(self, seen: RecentItems, table_name: str) -> TransactWriteItemTypeDef:
        """Return the operation that writes these items, if the table's copy is still the one that was read."""
        put: PutTypeDef = {
            "TableName": table_name,
            "Item": self.item,
            "ConditionExpression": "attribute_not_exists(revision)",
        }
        if seen.revision:
            put["ConditionExpression"] = "revision = :seen"
            put["ExpressionAttributeValues"] = {":seen": {"S": seen.revision}}
        return {"Put": put}


def _limited(items: RecentItems, lines: Sequence[str]) -> RecentItems:
    """Return items with as many of these lines as their copy may have."""
    kept = list(itertools.islice(newest_lines(lines, MAX_ENTRIES), 2 * MAX_ENTRIES))
    while len(content := _compress(kept)) > MAX_BYTES:
        kept = kept[: len(kept) // 2]
    return evolve(items, is_complete=items.is_complete and len(kept) == len(lines), content=content)


def _compress(lines: Iterable[str]) -> bytes:
    return zlib.compress("\n".join(lines).encode(), COMPRESSION_LEVEL)
