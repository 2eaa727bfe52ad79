"""What moto gets wrong, or does too slowly."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import Item
    from moto.dynamodb.models.table import Table

_SCALAR_TYPES = frozenset({"S", "N"})


def patch_secrets_manager() -> None:
    """Let moto move AWSCURRENT as AWS does.

    moto 5.2.5 goes on answering with the version before when no stage is named, and then gives AWSPREVIOUS to a wrong
    one; and a move to a version that does not exist takes the label away before it is refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    from moto.secretsmanager.exceptions import InvalidParameterException
    from moto.secretsmanager.models import SecretsManagerBackend

    original = SecretsManagerBackend.update_secret_version_stage
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def wrapper(
        self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        secret = self.secrets.get(secret_id)
        if secret is not None and move_to_version_id and move_to_version_id not in secret.versions:
            raise InvalidParameterException(f"Not a valid version: {move_to_version_id}")
        result: tuple[str, str] = original(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        if version_stage == "AWSCURRENT" and move_to_version_id:
            self.secrets[secret_id].set_default_version_id(move_to_version_id)
        return result

    SecretsManagerBackend.update_secret_version_stage = wrapper  # type: ignore[method-assign]  # moto has no other way in


def patch_dynamodb_queries() -> None:
    """Let moto sort a table's items by keys that are made once for each, and look for a partition only in it."""
    from moto.dynamodb.models.table import Table

    original = Table.query
    if hasattr(original, "__wrapped__"):
        return

    signature = inspect.signature(original)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        bound_arguments = signature.bind(*args, **kwargs)
        table = bound_arguments.arguments["self"]
        if table.range_key_attr and not bound_arguments.arguments.get("index_name"):
            bound_arguments.arguments["self"] = _single_partition(table, bound_arguments.arguments["hash_key"])
        return original(*bound_arguments.args, **bound_arguments.kwargs)

    setattr(Table, "query", wrapper)  # noqa: B010 - mypy rightly thinks little of assigning a method
    setattr(Table, "all_items", _sort_items)  # noqa: B010 - likewise


def _single_partition(table: Table, hash_key: Any) -> Table:
    """Return the table as if it had this partition only: moto reads and sorts all that it has for every query."""
    view = copy.copy(table)
    view.items = {hash_key: table.items.get(hash_key, {})}  # type: ignore[assignment]  # moto's own is wrong as well
    return view


def patch_dynamodb_serialization() -> None:
    """Let moto write texts and numbers of DynamoDB as they are.

    For every attribute of an item it looks for all ten kinds of value, under each of the names that a kind could have.
    """
    from moto.core.serialize import BaseJSONSerializer

    original = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - moto has no other way in
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def wrapper(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and isinstance(value, dict) and value.keys() <= _SCALAR_TYPES:
            serialized[key] = {kind: str(scalar) for kind, scalar in value.items()}
        else:
            original(self, serialized, value, shape, key)

    setattr(BaseJSONSerializer, "_serialize_type_structure", wrapper)  # noqa: B010 - as above


def patch_dispatch() -> None:
    """Let moto list the methods of a class once and not for every request."""
    from moto.core import responses
    from moto.core.utils import method_names_from_class

    setattr(responses, "method_names_from_class", functools.cache(method_names_from_class))  # noqa: B010


def _sort_items(table: Table) -> list[Item]:
    """Return the items of a DynamoDB table in order, as moto does, which needs them for every query and every scan.

    Moto has its own objects compare themselves, in some hundred thousand Python calls for a ledger of a hundred
    environments; here keys are compared that are made once for each item.
    """
    rows: Any = table.items.values()
    items: list[Item] = [item for row in rows for item in row.values()] if table.range_key_attr else [*rows]
    return sorted(items, key=_sort_key)


def _sort_key(item: Item) -> tuple[object, ...]:
    return tuple(key.cast_value for key in (item.hash_key, item.range_key) if key)
