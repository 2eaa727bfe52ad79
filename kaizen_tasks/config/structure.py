"""Converts raw configuration to typed tables, and reports every value that does not fit."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from operator import is_
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import attrs

from kaizen_tasks.config import checks
from kaizen_tasks.config.tables import LineRules
from kaizen_tasks.domain.text.duration import Seconds, parse_duration
from kaizen_tasks.domain.text.json_pointer import OptionalPointer

if TYPE_CHECKING:
    from cattrs import Converter

    from kaizen_tasks.config.load import TomlTable
    from kaizen_tasks.domain.smoke import Scalar, Statuses

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
LAZY_NAMES = {
    "BuildSecret": "kaizen_tasks.domain.build.secret",
    "KeyRule": "kaizen_tasks.domain.runtime_config",
    "SecretHeader": "kaizen_tasks.domain.request_header",
    "SmokeCheck": "kaizen_tasks.domain.smoke",
}
"""Classes in the annotations of `config.tables` that are imported there for type checking only, with their modules."""

EXPECTED: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
    Seconds: 'a duration such as "5m" or "300s"',
    "scalar": "text, a number, or true or false",
}
"""What a value of each type is called in messages."""


class ConfigProblem(NamedTuple):
    """One problem of the configuration.

    Attributes:
        path: keys from the top of the file: `environments.prod.url`.
        message: what is wrong at the path, and the nearest valid name.
    """

    path: str
    message: str


class TableListError(TypeError):
    """Another value in the place of a list of tables: most often a table, for want of the second brackets."""


class StructureError(Exception):
    """Raw configuration that does not fit its tables."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def structure(table: TomlTable, target: type[T]) -> T:
    """Return raw configuration as an instance of a table's class.

    Raises:
        StructureError: with every problem there is.
    """
    if (texts := _structure_texts(table, target)) is not None:
        return texts
    from cattrs import BaseValidationError

    with suppress(Exception):  # the second converter, which takes twice as long to build, raises and explains it
        return _make_converter(detailed=False).structure(table, target)
    try:
        return _make_converter(detailed=True).structure(table, target)
    except BaseValidationError as error_group:
        raise StructureError(tuple(_flatten_errors(error_group, ()))) from error_group


def _structure_texts(table: TomlTable, target: type[T]) -> T | None:
    """Return a table with nothing but texts, as that of an app alone, which needs no converter; None for any other."""
    annotations = {name: target.__annotations__.get(name) for name in table}
    if None in annotations.values() or not all(isinstance(value, str) for value in table.values()):
        return None
    for name, kind in _resolve_types(target, annotations).items():
        value_type, *value_checks = get_args(kind) if get_origin(kind) is Annotated else (kind,)
        if value_type is not str or any(check(table[name]) for check in value_checks):
            return None
    return target(**table)


def is_table(kind: Any) -> bool:
    """Return whether a type is a table with keys of its own."""
    return hasattr(kind, "_fields") or attrs.has(kind)


def key_types(table: Any) -> dict[str, Any]:
    """Return the type of every key of a table."""
    return _resolve_types(table, table.__annotations__)


def _resolve_types(table: Any, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the types of some annotations of a table; only the classes that they name are loaded."""
    text, names = " ".join(map(str, annotations.values())), {"checks": checks}
    loaded = {name: getattr(import_module(module), name) for name, module in LAZY_NAMES.items() if name in text}
    holder = SimpleNamespace(__annotations__=dict(annotations))
    return get_type_hints(holder, vars(sys.modules[table.__module__]), {**names, **loaded}, include_extras=True)


@cache
def _make_converter(*, detailed: bool) -> Converter:
    """Return a converter that accepts only values of the right type, since TOML has types of its own."""
    from cattrs import Converter

    from kaizen_tasks.domain.build.secret import BuildSecret
    from kaizen_tasks.domain.request_header import SecretHeader
    from kaizen_tasks.domain.smoke import Scalar, Statuses

    converter = Converter(forbid_extra_keys=True, detailed_validation=detailed)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _require_type)
    converter.register_structure_hook(float, _structure_number)
    converter.register_structure_hook(Seconds, _structure_duration)
    converter.register_structure_hook(Seconds | None, _structure_optional_duration)
    converter.register_structure_hook(Statuses, _structure_statuses)
    converter.register_structure_hook(OptionalPointer, _structure_optional_pointer)
    converter.register_structure_hook(Scalar, _structure_scalar)
    converter.register_structure_hook(str | Mapping[str, str], _structure_text_or_table)
    factories = {tuple: _make_list_hook, Mapping: _make_mapping_hook, Annotated: _make_checked_hook}
    for origin, factory in factories.items():
        converter.register_structure_hook_factory(partial(_has_origin, origin), factory)
    converter.register_structure_hook_factory(is_table, _make_table_hook)
    for secret_type, example in ((SecretHeader, "PROBE_TOKEN"), (BuildSecret, "NPM_TOKEN")):
        factory = partial(_make_secret_hook, example)
        converter.register_structure_hook_factory(partial(is_, secret_type), factory)
    converter.register_structure_hook_factory(lambda kind: kind is LineRules, _make_line_hook)
    return converter


def _has_origin(origin: Any, kind: Any) -> bool:
    return get_origin(kind) is origin


def _make_list_hook(kind: Any, converter: Converter) -> Hook:
    """Return a hook that accepts a list; it refuses text, which would become a list of letters."""
    member = get_args(kind)[0]
    list_type: Any = list.__class_getitem__(member)
    structure_list = converter.get_structure_hook(list_type)

    def structure_members(value: Any, _: Any) -> Any:
        if is_table(member) and type(value) is not list:
            raise TableListError
        return tuple(structure_list(_require_type(value, list), list_type))

    return structure_members


def _make_mapping_hook(kind: Any, converter: Converter) -> Hook:
    dict_type: Any = dict.__class_getitem__(get_args(kind))
    structure_dict = converter.get_structure_hook(dict_type)
    return lambda value, _: structure_dict(_require_type(value, dict), dict_type)


def _make_checked_hook(kind: Any, converter: Converter) -> Hook:
    value_type, *value_checks = get_args(kind)
    structure_value = converter.get_structure_hook(value_type)

    def structure_checked(value: Any, _: Any) -> Any:
        result = structure_value(value, value_type)
        for error in filter(None, (check(result) for check in value_checks)):
            raise ValueError(error)
        return result

    return structure_checked


def _make_table_hook(kind: Any, converter: Converter) -> Hook:
    """Return the hook of a table, which is built for the first table of its kind: few files have one of each."""
    structure_table = cache(partial(_build_table_hook, kind, converter))
    return lambda value, _: structure_table()(_require_type(value, dict), kind)


def _build_table_hook(kind: Any, converter: Converter) -> Hook:
    from cattrs.cols import namedtuple_dict_structure_factory

    kind.__annotations__ = key_types(kind)  # cattrs reads them, and does not know the lazy names
    if attrs.has(kind):
        return converter.gen_structure_attrs_fromdict(kind)
    return namedtuple_dict_structure_factory(kind, converter, "from_converter", True)  # noqa: FBT003 - cattrs' signature


def _make_secret_hook(example: str, kind: Any, converter: Converter) -> Hook:
    """Return the hook of a table whose message does not repeat a value in its place: that may be the secret itself."""
    structure_table = _make_table_hook(kind, converter)

    def structure_secret(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f'should say where the value is, such as {{ env = "{example}" }}')
        return structure_table(value, kind)

    return structure_secret


def _make_line_hook(kind: Any, converter: Converter) -> Hook:
    """Return the hook of a table that may be written as its branch alone."""
    structure_table = _make_table_hook(kind, converter)
    return lambda value, _: structure_table({"branch": value} if isinstance(value, str) else value, kind)


def _require_type(value: Any, kind: Any) -> Any:
    if kind is list and isinstance(value, tuple):
        return value
    if type(value) is not kind:
        raise TypeError(_mismatch(value, kind))
    return value


def _mismatch(value: Any, kind: Any) -> str:
    """Return the message that says what a value should be and, when known, how to write it.

    It does not repeat the value: at a wrong place, with a wrong type, it may be anything, also a secret.
    """
    advice = ""
    if kind is str and not isinstance(value, list | tuple | dict):
        advice = "; put it in quotes"
    elif kind in {int, float, bool} and isinstance(value, str) and re.fullmatch(r"-?[0-9.]+|true|false", value):
        advice = "; leave out the quotes"
    elif kind is list and isinstance(value, str):
        advice = "; put it in brackets"
    return f"should be {EXPECTED[kind]}, not {_type_name(value)}{advice}"


def _type_name(value: Any) -> str:
    """Return what the type of a value is called in messages."""
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {str: "text", int: "a number", float: "a decimal number", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or a time")


def _structure_number(value: Any, _: Any) -> float:
    return float(value) if type(value) is int else float(_require_type(value, float))


def _structure_duration(value: Any, _: Any) -> Seconds:
    if not isinstance(value, str):
        raise TypeError(_mismatch(value, Seconds))
    return parse_duration(value)


def _structure_optional_duration(value: Any, _: Any) -> Seconds | None:
    """Return the seconds; None for an empty text, which is how a variable unsets the key."""
    return None if value is None or value == "" else _structure_duration(value, Seconds)


def _structure_statuses(value: Any, _: Any) -> Statuses:
    """Accept one number or a list of numbers."""
    from kaizen_tasks.domain.smoke import Statuses

    numbers = value if isinstance(value, list | tuple) else (value,)
    if not numbers:
        raise ValueError("is an empty list")
    return Statuses(tuple(_require_type(number, int) for number in numbers))


def _structure_optional_pointer(value: Any, _: Any) -> OptionalPointer:
    """Return the pointer; an empty text for `false`, or for a variable that says so."""
    return OptionalPointer("" if value is False or value == "false" else _require_type(value, str))


def _structure_scalar(value: Any, _: Any) -> Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError(_mismatch(value, "scalar"))


def _structure_text_or_table(value: Any, _: Any) -> str | Mapping[str, str]:
    """Accept one text for all, or a table of texts."""
    if isinstance(value, dict):
        return {name: _require_type(text, str) for name, text in value.items()}
    return str(_require_type(value, str))


def _flatten_errors(error_group: BaseException, path: tuple[str, ...]) -> Iterator[ConfigProblem]:
    """Yield the problems in cattrs' tree of errors, in which notes say which key each error belongs to."""
    from cattrs import BaseValidationError, ForbiddenExtraKeysError

    for child in cast("BaseExceptionGroup[Exception]", error_group).exceptions:
        error_path = (*path, *_keys_in_notes(child))
        if isinstance(child, ForbiddenExtraKeysError):
            for key in sorted(child.extra_fields):
                message = f"unknown key{checks.suggest(key, child.cl.__annotations__)}"
                yield ConfigProblem(".".join((*error_path, key)), message)
        elif isinstance(child, BaseValidationError):
            yield from _flatten_errors(child, error_path)
        elif isinstance(child, TableListError):
            key = ".".join(error_path)
            yield ConfigProblem(key, f"should be a list of tables: write [[{key}]], with two brackets, above each")
        else:
            yield ConfigProblem(".".join(error_path), "is missing" if isinstance(child, KeyError) else str(child))


def _keys_in_notes(error: BaseException) -> tuple[str, ...]:
    from cattrs import AttributeValidationNote, IterableValidationNote

    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (str(note.index),)
    return ()
