"""Gives raw configuration its types, and names every place where it does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

import attrs
from attrs import frozen

from kaizen_tasks.domain import duration, smoke

if TYPE_CHECKING:
    from cattrs import Converter

    from kaizen_tasks.config.load import TomlTable

T = TypeVar("T")
TYPE_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    Mapping: "a table",
}


@frozen
class ConfigProblem:
    """Something in the configuration that cannot stay.

    Attributes:
        path: keys from the top of the file: `environments.prod.url`.
        message: what is wrong with it, and the nearest valid name.
    """

    path: str
    message: str


class StructureError(Exception):
    """Raw configuration that does not fit its shape."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def structure(table: TomlTable, target: type[T]) -> T:
    """Structure raw configuration.

    Raises:
        Misfit: with every problem there is.
    """
    from cattrs import BaseValidationError

    with suppress(Exception):  # whatever it was, the converter that explains itself meets it again
        return _make_converter(detailed=False).structure(table, target)
    try:
        return _make_converter(detailed=True).structure(table, target)
    except BaseValidationError as error_group:
        raise StructureError(tuple(_flatten_errors(error_group, ()))) from error_group


def suggest(name: str, choices: tuple[str, ...]) -> str:
    """Return `; did you mean 'x'?` when a known name is near, else the choice there is."""
    matches = difflib.get_close_matches(name, choices, n=1)
    if matches:
        return f"; did you mean {matches[0]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""


def _make_converter(*, detailed: bool) -> Converter:
    """Build a converter that takes a value of the right type and no other: TOML has types of its own.

    Args:
        detailed: whether its errors say what does not fit and where; such a one takes half as long again to build.
    """
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, detailed_validation=detailed)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _require_type)
    converter.register_structure_hook(
        duration.Seconds, lambda value, _: duration.parse_duration(_require_type(value, str))
    )
    converter.register_structure_hook(float | None, lambda value, _: None if value is None else _structure_float(value))
    converter.register_structure_hook(duration.Seconds | None, lambda value, _: _structure_optional_seconds(value))
    converter.register_structure_hook(smoke.Statuses, lambda value, _: _structure_statuses(value))
    converter.register_structure_hook(smoke.Scalar, lambda value, _: _structure_scalar(value))
    converter.register_structure_hook(
        bool | None, lambda value, _: None if value is None else _require_type(value, bool)
    )
    converter.register_structure_hook_factory(_is_tuple_type)(_make_tuple_hook)
    return converter


def _is_tuple_type(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _make_tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Make a hook for a tuple that takes a list, and not text, which would fall apart into letters."""
    list_type: Any = list.__class_getitem__(get_args(kind)[0])
    structure_list = converter.get_structure_hook(list_type)
    return lambda value, _: tuple(structure_list(_require_type(value, tuple), list_type))


def _require_type(value: Any, kind: Any) -> Any:
    if kind is tuple and isinstance(value, list | tuple):
        return value
    if type(value) is not kind:
        raise TypeError(f"{value!r} should be {TYPE_NAMES[kind]}")
    return value


def _structure_float(value: Any) -> float:
    return float(value) if type(value) is int else _require_type(value, float)


def _structure_optional_seconds(value: Any) -> duration.Seconds | None:
    """Take nothing for nothing: an environment has every key, so that a variable can override it."""
    return duration.parse_duration(_require_type(value, str)) if value not in (None, "") else None


def _structure_statuses(value: Any) -> smoke.Statuses:
    """Take one number or a list of them."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    if not numbers:
        raise ValueError("is an empty list")
    return smoke.Statuses(tuple(_require_type(number, int) for number in numbers))


def _structure_scalar(value: Any) -> smoke.Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} should be text, a number, or true or false")


def _flatten_errors(error_group: BaseException, path: tuple[str, ...]) -> Iterator[ConfigProblem]:
    """Walk cattrs' tree of errors; its notes say which key each one belongs to."""
    from cattrs import BaseValidationError, ForbiddenExtraKeysError

    for child in cast("BaseExceptionGroup[Exception]", error_group).exceptions:
        error_path = (*path, *_keys_in_notes(child))
        if isinstance(child, ForbiddenExtraKeysError):
            field_names = tuple(attrs.fields_dict(child.cl))
            for key in sorted(child.extra_fields):
                yield ConfigProblem(".".join((*error_path, key)), f"unknown key{suggest(key, field_names)}")
        elif isinstance(child, BaseValidationError):
            yield from _flatten_errors(child, error_path)
        else:
            yield ConfigProblem(".".join(error_path), _describe_error(child))


def _keys_in_notes(error: BaseException) -> tuple[str, ...]:
    from cattrs import AttributeValidationNote, IterableValidationNote

    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (str(note.index),)
    return ()


def _describe_error(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, ValueError) or " should be " in str(error):
        return str(error)
    return "should be a table"
