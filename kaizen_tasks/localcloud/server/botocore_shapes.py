"""Decoding, encoding and validation of JSON documents by botocore's shapes."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import ListShape, MapShape, Shape, StructureShape


class SerializationError(Exception):
    """A value of a JSON type that its shape does not allow."""


@attrs.frozen(kw_only=True)
class ConstraintViolation:
    """A violated constraint of the model.

    Args:
        path: the member, such as `imageIds.1.member.imageTag`.
        value: the value sent; empty if it is sensitive or not a scalar.
        constraint: the constraint, in AWS's words.
    """

    path: str
    value: str
    constraint: str


def decode(shape: Shape, value: object) -> Any:  # Any: the type of a value depends on its shape
    """Convert parsed JSON to the values that a service works with, without members that the model lacks.

    Raises:
        SerializationError: a value has the wrong JSON type.
    """
    kinds = _JSON_TYPES[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise SerializationError(f"{type(value).__name__} can not be converted to {shape.type_name} {shape.name}")
    decoder = _DECODERS.get(shape.type_name)
    return decoder(shape, value) if decoder else value


def _decode_structure(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    members = cast("StructureShape", shape).members
    return {
        name: decode(members[name], member) for name, member in value.items() if name in members and member is not None
    }


def _decode_list(shape: Shape, value: list[Any]) -> list[Any]:
    return [decode(cast("ListShape", shape).member, item) for item in value]


def _decode_map(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    return {key: decode(cast("MapShape", shape).value, item) for key, item in value.items()}


def _decode_blob(shape: Shape, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise SerializationError(f"{shape.name} is not base64") from error


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "blob": (str,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}
_DECODERS: dict[str, Callable[[Shape, Any], Any]] = {
    "structure": _decode_structure,
    "list": _decode_list,
    "map": _decode_map,
    "blob": _decode_blob,
}


def encode(shape: Shape, value: Any) -> object:  # Any: as in decode
    """Convert a service's output to JSON values, without members that are None.

    Raises:
        KeyError: the output has a member that the model lacks.
    """
    if shape.type_name == "structure":
        members = cast("StructureShape", shape).members
        return {name: encode(members[name], item) for name, item in value.items() if item is not None}
    if shape.type_name == "list":
        return [encode(cast("ListShape", shape).member, item) for item in value]
    if shape.type_name == "map":
        return {key: encode(cast("MapShape", shape).value, item) for key, item in value.items()}
    return _encode_scalar(value)


def _encode_scalar(value: object) -> object:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def find_violations(shape: Shape, value: Any, path: str = "") -> Iterator[ConstraintViolation]:
    """Yield the violated constraints of a decoded value."""
    for constraint in _broken_constraints(shape, value):
        display_text = "" if shape.metadata.get("sensitive") else _display_text(value)
        yield ConstraintViolation(path=path, value=display_text, constraint=constraint)
    if shape.type_name == "structure":
        yield from _member_violations(cast("StructureShape", shape), value, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from find_violations(cast("ListShape", shape).member, item, _join(path, f"{number}.member"))
    elif shape.type_name == "map":
        map_shape = cast("MapShape", shape)
        for key, item in value.items():
            yield from find_violations(map_shape.key, key, _join(path, key))
            yield from find_violations(map_shape.value, item, _join(path, key))


def _member_violations(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[ConstraintViolation]:
    for name in shape.required_members:
        if name not in value:
            yield ConstraintViolation(path=_join(path, name), value="null", constraint="Member must not be null")
    for name, item in value.items():
        yield from find_violations(shape.members[name], item, _join(path, name))


def _broken_constraints(shape: Shape, value: Any) -> Iterator[str]:
    rules = shape.metadata
    if shape.type_name in _SIZED_TYPES:
        yield from _range_violations(rules, len(value), "have length")
    elif shape.type_name in _NUMERIC_TYPES:
        yield from _range_violations(rules, value, "have value")
    if shape.type_name == "string":
        yield from _string_violations(rules, value)


def _range_violations(rules: dict[str, Any], size: float, verb: str) -> Iterator[str]:
    if "min" in rules and size < rules["min"]:
        yield f"Member must {verb} greater than or equal to {rules['min']}"
    if "max" in rules and size > rules["max"]:
        yield f"Member must {verb} less than or equal to {rules['max']}"


def _string_violations(rules: dict[str, Any], text: str) -> Iterator[str]:
    if rules.get("enum") and text not in rules["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]"
    pattern = _compile(rules["pattern"]) if "pattern" in rules else None
    if pattern and not pattern.fullmatch(text):
        yield f"Member must satisfy regular expression pattern: {rules['pattern']}"


@functools.lru_cache(maxsize=512)
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern of the model; None for syntax that Java has and Python lacks."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _display_text(value: object) -> str:
    return str(value) if isinstance(value, (str, int, float)) else ""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_SIZED_TYPES = frozenset({"string", "list", "map", "blob"})
_NUMERIC_TYPES = frozenset({"integer", "long", "float", "double"})
