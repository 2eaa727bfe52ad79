"""Corrections of moto: behaviour that differs from AWS, and what is too slow.

Importing this module imports moto, which takes a second: import it at the first request.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core import responses
from moto.core.common_models import BaseModel
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import comparisons
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models import table as dynamodb_table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.moto_api._internal import mock_random
from moto.secretsmanager import models as secretsmanager_models
from moto.secretsmanager.exceptions import InvalidParameterException
from moto.secretsmanager.models import SecretsManagerBackend

from kaizen_tasks.localcloud.moto.items import SCALAR_TYPES, convert_scalars_first, create_measured_once
from kaizen_tasks.localcloud.moto.moto_errors import ExpressionError
from kaizen_tasks.localcloud.moto.transactions import write_with_saved_items
from kaizen_tasks.localcloud.moto.update_expressions import patch_update_expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def patch_moto() -> None:
    """Apply all corrections, once."""
    _patch_secrets_manager()
    _patch_dynamodb_queries()
    _patch_dynamodb_serialization()
    _patch_dynamodb_conditions()
    patch_update_expressions()
    _replace(Item, "__init__", create_measured_once)
    _replace(dynamodb_responses, "dynamo_to_dict", convert_scalars_first)
    _replace(DynamoDBBackend, "transact_write_items", write_with_saved_items)
    _patch_instance_tracking()
    _patch_clock()
    _replace(responses, "method_names_from_class", functools.cache)  # for every request otherwise


@contextlib.contextmanager
def moto_time(at: float, seed: int, service: str) -> Iterator[None]:
    """Let moto's clock stand still, and its random numbers begin with a seed.

    Args:
        at: seconds since the epoch.
        seed: the seed.
        service: the signing name of the service that is about to be called.
    """
    if service == "ssm":
        _patch_clock_of_parameters()
    mock_random.seed(seed)
    _clock.fixed_time = at
    try:
        yield
    finally:
        _clock.fixed_time = None


class _Clock:
    """What moto's models use instead of `time` and `utcnow`."""

    fixed_time: float | None = None

    def time(self) -> float:
        return time.time() if self.fixed_time is None else self.fixed_time

    def utcnow(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC).replace(tzinfo=None)


_clock = _Clock()


def _patch_clock() -> None:
    """Let `moto_time` set the dates of tables and secrets."""
    vars(dynamodb_table).update(utcnow=_clock.utcnow)
    vars(secretsmanager_models).update(utcnow=_clock.utcnow, time=_clock)  # in place of the module


@functools.cache
def _patch_clock_of_parameters() -> None:
    """Let `moto_time` set the dates of parameters, whose models are loaded with their first one: it takes a second."""
    from moto.ssm import models

    vars(models).update(utcnow=_clock.utcnow)


def _patch_instance_tracking() -> None:
    """Forget instances of models that nothing uses: moto keeps every one, so also a copy of each item that is read."""
    BaseModel.__new__ = staticmethod(_new_instance)  # type: ignore[method-assign]


def _new_instance(cls: Any, *_arguments: Any, **_members: Any) -> Any:
    return object.__new__(cls)


def _patch_secrets_manager() -> None:
    """Move AWSCURRENT as AWS does.

    After a move, moto 5.2.5 still returns the previous version when no stage is named, and labels a wrong version as
    AWSPREVIOUS. A move to a version that does not exist removes the label before it is refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """

    def correct(original: Callable[..., Any]) -> Callable[..., Any]:
        def update_secret_version_stage(
            self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
        ) -> Any:
            secret = self.secrets.get(secret_id)
            if secret is not None and move_to_version_id and move_to_version_id not in secret.versions:
                raise InvalidParameterException(f"Not a valid version: {move_to_version_id}")
            result = original(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
            if version_stage == "AWSCURRENT" and move_to_version_id:
                self.secrets[secret_id].set_default_version_id(move_to_version_id)
            return result

        return update_secret_version_stage

    _replace(SecretsManagerBackend, "update_secret_version_stage", correct)
    _replace(SecretsManagerBackend, "list_secret_version_ids", _date_versions)


def _date_versions(original: Callable[..., Any]) -> Callable[..., Any]:
    """List the versions of a secret with the dates of their creation; moto's are those of the request."""

    def list_secret_version_ids(self: Any, secret_id: str) -> str:
        document = json.loads(original(self, secret_id))
        versions = self.secrets[secret_id].versions
        for version in document["Versions"]:
            version["CreatedDate"] = versions[version["VersionId"]]["createdate"]
            del version["LastAccessedDate"]
        return json.dumps(document)

    return list_secret_version_ids


def _patch_dynamodb_queries() -> None:
    """Sort a table's items by keys that are computed once per item, and query one partition only.

    moto's items compare themselves: some hundred thousand Python calls for a ledger of a hundred environments.
    """

    def speed_up(original: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        def query(*args: Any, **kwargs: Any) -> Any:
            call = signature.bind(*args, **kwargs)
            table = call.arguments["self"]
            if table.range_key_attr and not call.arguments.get("index_name"):
                call.arguments["self"] = _single_partition(table, call.arguments["hash_key"])
            return original(*call.args, **call.kwargs)

        return query

    _replace(Table, "query", speed_up)
    _replace(Table, "all_items", lambda _original: _sort_items)


def _patch_dynamodb_conditions() -> None:
    """Refuse conditions that cannot be parsed, accept all white space, and compare values of any types.

    moto 5.2.5 raises whatever its parser trips over, takes spaces only, and cannot compare a number with a string. That
    is false in DynamoDB, as is any comparison with the size of a missing attribute.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
    """
    _replace(comparisons.ConditionExpressionParser, "parse", _parse_or_refuse)
    for comparison in (*comparisons.COMPARATOR_CLASS.values(), comparisons.FuncBetween):
        _replace(comparison, "expr", _compare_or_false)
    _replace(comparisons.FuncSize, "expr", _size_or_none)


def _parse_or_refuse(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(self: Any) -> Any:
        self.condition_expression = " ".join((self.condition_expression or "").split())
        try:
            return original(self)
        except (ValueError, LookupError, AssertionError, AttributeError, TypeError) as error:
            raise ExpressionError(f"Syntax error; {error}") from error

    return parse


def _compare_or_false(original: Callable[..., Any]) -> Callable[..., Any]:
    def expr(self: Any, item: Any) -> Any:
        try:
            return original(self, item)
        except TypeError:
            return False

    return expr


def _size_or_none(original: Callable[..., Any]) -> Callable[..., Any]:
    def expr(self: Any, item: Any) -> Any:
        return None if self.attr.get_type(item) is None else original(self, item)

    return expr


def _patch_dynamodb_serialization() -> None:
    """Serialise strings and numbers of DynamoDB directly.

    For every attribute of an item, moto looks for all ten types of value under each of their possible names.
    """

    def speed_up(original: Callable[..., Any]) -> Callable[..., Any]:
        def serialize(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
            if shape.name == "AttributeValue" and isinstance(value, dict) and value.keys() <= SCALAR_TYPES:
                serialized[key] = {kind: str(scalar) for kind, scalar in value.items()}
            else:
                original(self, serialized, value, shape, key)

        return serialize

    _replace(BaseJSONSerializer, "_serialize_type_structure", speed_up)


def _replace(owner: Any, name: str, patch: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function of moto by a patched one, once."""
    original = getattr(owner, name)
    if not hasattr(original, "__wrapped__"):
        setattr(owner, name, functools.update_wrapper(patch(original), original))


def _single_partition(table: Table, hash_key: Any) -> Table:
    """Return a view of the table with one partition: moto reads and sorts all items for every query."""
    view = copy.copy(table)
    view.items = {hash_key: table.items.get(hash_key, {})}  # type: ignore[assignment]  # moto's annotation is wrong
    return view


def _sort_items(table: Table) -> list[Item]:
    """Return all items of a table in order; moto needs them for every query and every scan."""
    rows: Any = table.items.values()
    items: list[Item] = [item for row in rows for item in row.values()] if table.range_key_attr else [*rows]
    return sorted(items, key=_sort_key)


def _sort_key(item: Item) -> tuple[object, ...]:
    return tuple(key.cast_value for key in (item.hash_key, item.range_key) if key)
