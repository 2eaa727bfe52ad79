"""What moto gets wrong, or does too slowly."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import Item
    from moto.dynamodb.models.table import Table

_PLAIN = frozenset({"S", "N"})


def correct_secrets() -> None:
    """Let moto move AWSCURRENT as AWS does.

    moto 5.2.5 goes on answering with the version before when no stage is named, and then gives AWSPREVIOUS to a wrong
    one; and a move to a version that does not exist takes the label away before it is refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    from moto.secretsmanager.exceptions import InvalidParameterException
    from moto.secretsmanager.models import SecretsManagerBackend

    move = SecretsManagerBackend.update_secret_version_stage
    if hasattr(move, "__wrapped__"):
        return

    @functools.wraps(move)
    def corrected(
        self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        secret = self.secrets.get(secret_id)
        if secret is not None and move_to_version_id and move_to_version_id not in secret.versions:
            raise InvalidParameterException(f"Not a valid version: {move_to_version_id}")
        moved: tuple[str, str] = move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        if version_stage == "AWSCURRENT" and move_to_version_id:
            self.secrets[secret_id].set_default_version_id(move_to_version_id)
        return moved

    SecretsManagerBackend.update_secret_version_stage = corrected  # type: ignore[method-assign]  # moto has no other way in


def correct_tables() -> None:
    """Let moto sort a table's items by keys that are made once for each, and look for a partition only in it."""
    from moto.dynamodb.models.table import Table

    query = Table.query
    if hasattr(query, "__wrapped__"):
        return

    as_called = inspect.signature(query)

    @functools.wraps(query)
    def narrowed(*given: Any, **named: Any) -> Any:
        call = as_called.bind(*given, **named)
        table = call.arguments["self"]
        if table.range_key_attr and not call.arguments.get("index_name"):
            call.arguments["self"] = _partition(table, call.arguments["hash_key"])
        return query(*call.args, **call.kwargs)

    setattr(Table, "query", narrowed)  # noqa: B010 - mypy rightly thinks little of assigning a method
    setattr(Table, "all_items", _sorted)  # noqa: B010 - likewise


def _partition(table: Table, hash_key: Any) -> Table:
    """Return the table as if it had this partition only: moto reads and sorts all that it has for every query."""
    part = copy.copy(table)
    part.items = {hash_key: table.items.get(hash_key, {})}  # type: ignore[assignment]  # moto's own is wrong as well
    return part


def correct_answers() -> None:
    """Let moto write texts and numbers of DynamoDB as they are.

    For every attribute of an item it looks for all ten kinds of value, under each of the names that a kind could have.
    """
    from moto.core.serialize import BaseJSONSerializer

    structure = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - moto has no other way in
    if hasattr(structure, "__wrapped__"):
        return

    @functools.wraps(structure)
    def hastened(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and isinstance(value, dict) and value.keys() <= _PLAIN:
            serialized[key] = {kind: str(plain) for kind, plain in value.items()}
        else:
            structure(self, serialized, value, shape, key)

    setattr(BaseJSONSerializer, "_serialize_type_structure", hastened)  # noqa: B010 - as above


def correct_dispatch() -> None:
    """Let moto list its own folder, and what a class can do, once and not for every request."""
    from moto import backends
    from moto.core import responses
    from moto.core.utils import method_names_from_class

    known = tuple(backends.list_of_moto_modules())
    setattr(backends, "list_of_moto_modules", lambda: known)  # noqa: B010 - as above
    setattr(responses, "method_names_from_class", functools.cache(method_names_from_class))  # noqa: B010


def _sorted(table: Table) -> list[Item]:
    """Return the items of a DynamoDB table in order, as moto does, which needs them for every query and every scan.

    Moto has its own objects compare themselves, in some hundred thousand Python calls for a ledger of a hundred
    environments; here keys are compared that are made once for each item.
    """
    rows: Any = table.items.values()
    items: list[Item] = [item for row in rows for item in row.values()] if table.range_key_attr else [*rows]
    return sorted(items, key=_place)


def _place(item: Item) -> tuple[object, ...]:
    return tuple(key.cast_value for key in (item.hash_key, item.range_key) if key)
