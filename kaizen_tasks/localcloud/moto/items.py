"""Items of DynamoDB in moto: created and converted in a part of the time.

Importing this module imports moto, which takes a second: import it at the first request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

MAX_ITEM_BYTES = 405_000
"""What moto 5.2.5 takes for the limit of DynamoDB; see its `LimitedSizeDict`."""

SCALAR_TYPES = frozenset({"S", "N"})
"""Types of values that are the same in moto, in requests and in responses."""


def create_measured_once(_original: Callable[..., None]) -> Callable[..., None]:
    """Return the constructor of an item, which measures it once; moto's measures all attributes with each new one."""

    def __init__(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: Mapping[str, Any]) -> None:  # noqa: N807 - its name
        self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
        for name, value in attrs.items():
            dict.__setitem__(self.attrs, name, DynamoType(value))
        if self.size() > MAX_ITEM_BYTES:
            raise ItemSizeTooLarge

    return __init__


def convert_scalars_first(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return moto's function that converts a response, so that strings and numbers take the shortest way."""

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind is DynamoType and value.type in SCALAR_TYPES:
            return {value.type: value.value}
        if kind is LimitedSizeDict or kind is dict:
            return {name: convert(member) for name, member in value.items()}
        if kind is list:
            return [convert(member) for member in value]
        return original(value)

    return convert
