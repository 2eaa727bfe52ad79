"""Transactions of DynamoDB in moto, which can be taken back without a copy of the table.

Importing this module imports moto, which takes a second: import it at the first request.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from attrs import frozen
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table


def write_with_saved_items(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's function for a transaction, so patched that it saves the items that are written, not the table.

    moto 5.2.5 copies the whole table once for each operation of a transaction: seconds, when a table has a thousand
    items.
    """

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> Any:
        operations = [operation for item in transact_items for operation in item.values()]
        tables = [table for name, table in self.tables.items() if _is_written(name, operations)]
        if any(table.stream_shard is not None for table in tables):
            return original(self, transact_items)  # what is in a stream must be taken back too
        saved_items = [saved for table in tables for saved in _save_items(table, operations)]
        try:
            with _uncopied(tables):
                return original(self, transact_items)
        except Exception:
            for saved in saved_items:
                saved.restore()
            raise

    return transact_write_items


@frozen
class _SavedItem:
    """An item as it was before a transaction.

    Attributes:
        table: its table.
        keys: its partition key, and its sort key if the table has them.
        item: a copy; None if there was no such item.
    """

    table: Table
    keys: tuple[DynamoType, ...]
    item: Item | None

    def restore(self) -> None:
        """Put the item back in its place, or remove what is there now."""
        rows: Any = self.table.items
        if len(self.keys) > 1:
            rows = rows[self.keys[0]]
        if self.item is None:
            rows.pop(self.keys[-1], None)
        else:
            rows[self.keys[-1]] = self.item


def _is_written(name: str, operations: Iterable[dict[str, Any]]) -> bool:
    return any(operation.get("TableName") == name for operation in operations)


def _save_items(table: Table, operations: Iterable[dict[str, Any]]) -> Iterator[_SavedItem]:
    """Yield the items of a table that operations write; an operation whose key is malformed writes none."""
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    for operation in operations:
        if operation.get("TableName") != table.name:
            continue
        with suppress(LookupError, TypeError, ValueError, AttributeError):
            values = operation.get("Key") or operation["Item"]
            keys = tuple(DynamoType(values[name]) for name in names)
            yield _SavedItem(table, keys, copy.deepcopy(table.get_item(keys[0], keys[1] if len(keys) > 1 else None)))


@contextmanager
def _uncopied(tables: Sequence[Table]) -> Iterator[None]:
    """Let `copy.deepcopy` return the tables themselves."""
    for table in tables:
        vars(table)["__deepcopy__"] = lambda _memo, table=table: table
    try:
        yield
    finally:
        for table in tables:
            del vars(table)["__deepcopy__"]
