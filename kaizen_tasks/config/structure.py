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

    from kaizen_tasks.config.load import Raw

Shape = TypeVar("Shape")
WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    Mapping: "a table",
}


@frozen
class Problem:
    """Something in the configuration that cannot stay.

    Attributes:
        path: keys from the top of the file: `environments.prod.url`.
        what: what is wrong with it, and the nearest valid name.
    """

    path: str
    what: str


class Misfit(Exception):
    """Raw configuration that does not fit its shape."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def fit(raw: Raw, shape: type[Shape]) -> Shape:
    """Structure raw configuration.

    Raises:
        Misfit: with every problem there is.
    """
    from cattrs import BaseValidationError

    with suppress(Exception):  # whatever it was, the converter that explains itself meets it again
        return _converter(explains=False).structure(raw, shape)
    try:
        return _converter(explains=True).structure(raw, shape)
    except BaseValidationError as group:
        raise Misfit(tuple(_problems(group, ()))) from group


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Return `; did you mean 'x'?` when a known name is near, else the choice there is."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""


def _converter(*, explains: bool) -> Converter:
    """Build a converter that takes a value of the right type and no other: TOML has types of its own.

    Args:
        explains: whether its errors say what does not fit and where; such a one takes half as long again to build.
    """
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, detailed_validation=explains)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(duration.Seconds, lambda value, _: duration.parse(_exactly(value, str)))
    converter.register_structure_hook(float | None, lambda value, _: None if value is None else _number(value))
    converter.register_structure_hook(duration.Seconds | None, lambda value, _: _seconds_or_none(value))
    converter.register_structure_hook(smoke.Statuses, lambda value, _: _statuses(value))
    converter.register_structure_hook(smoke.Scalar, lambda value, _: _scalar(value))
    converter.register_structure_hook(bool | None, lambda value, _: None if value is None else _exactly(value, bool))
    converter.register_structure_hook_factory(_is_tuple)(_lists)
    return converter


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _lists(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Make a hook for a tuple that takes a list, and not text, which would fall apart into letters."""
    items: Any = list.__class_getitem__(get_args(kind)[0])
    structure = converter.get_structure_hook(items)
    return lambda value, _: tuple(structure(_exactly(value, tuple), items))


def _exactly(value: Any, kind: Any) -> Any:
    if kind is tuple and isinstance(value, list | tuple):
        return value
    if type(value) is not kind:
        raise TypeError(f"{value!r} should be {WORDS[kind]}")
    return value


def _number(value: Any) -> float:
    return float(value) if type(value) is int else _exactly(value, float)


def _seconds_or_none(value: Any) -> duration.Seconds | None:
    """Take nothing for nothing: an environment has every key, so that a variable can override it."""
    return duration.parse(_exactly(value, str)) if value not in (None, "") else None


def _statuses(value: Any) -> smoke.Statuses:
    """Take one number or a list of them."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    if not numbers:
        raise ValueError("is an empty list")
    return smoke.Statuses(tuple(_exactly(each, int) for each in numbers))


def _scalar(value: Any) -> smoke.Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} should be text, a number, or true or false")


def _problems(error: BaseException, path: tuple[str, ...]) -> Iterator[Problem]:
    """Walk cattrs' tree of errors; its notes say which key each one belongs to."""
    from cattrs import BaseValidationError, ForbiddenExtraKeysError

    for each in cast("BaseExceptionGroup[Exception]", error).exceptions:
        below = (*path, *_keys(each))
        if isinstance(each, ForbiddenExtraKeysError):
            known = tuple(attrs.fields_dict(each.cl))
            for extra in sorted(each.extra_fields):
                yield Problem(".".join((*below, extra)), f"unknown key{nearest(extra, known)}")
        elif isinstance(each, BaseValidationError):
            yield from _problems(each, below)
        else:
            yield Problem(".".join(below), _words(each))


def _keys(error: BaseException) -> tuple[str, ...]:
    from cattrs import AttributeValidationNote, IterableValidationNote

    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (str(note.index),)
    return ()


def _words(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, ValueError) or " should be " in str(error):
        return str(error)
    return "should be a table"
