"""The keys of `kaizen.toml`, with type, default, help and example: read from the classes of their tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import attrs
from attrs import frozen

from kaizen_tasks.config.documentation import default_of, descriptions
from kaizen_tasks.config.structure import is_table, key_types
from kaizen_tasks.config.tables import RawConfig
from kaizen_tasks.domain.smoke import Scalar, Statuses
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.domain.text.json_pointer import OptionalPointer

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME_PLACEHOLDER = "NAME"
"""Takes the place of a name that the user chooses."""

TYPE_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Seconds: "duration",
    OptionalPointer: "text, or false",
    Statuses: "whole number, or list of them",
    Scalar: "text, number, true or false",
    str | Mapping[str, str]: "text, or table of texts",
}


@frozen(kw_only=True)
class ConfigKey:
    """One key.

    Attributes:
        path: from the top of the file; `NAME` is a name that the user chooses.
        type: in words.
        default: as TOML; empty when there is none.
        variable: the environment variable that overrides it; empty when none can.
        help: what it is, in a sentence or two.
        example: a value as TOML; for a name that the user chooses, with the name.
        is_repeated: whether it is in a table that may be repeated.
    """

    path: str
    type: str
    default: str
    variable: str
    help: str
    example: str
    is_repeated: bool

    @property
    def table(self) -> str:
        """The path of the table in which the example sets it; empty for a top-level key."""
        path = self.path.removesuffix(f".{NAME_PLACEHOLDER}") if self.is_repeated else self.path
        return path.rpartition(".")[0]

    @property
    def assignment(self) -> str:
        """The example, as a line of its table."""
        if not self.path.endswith(f".{NAME_PLACEHOLDER}"):
            return f"{self.path.rpartition('.')[2]} = {self.example}"
        return f"{self.path.split('.')[-2]} = {{ {self.example} }}" if self.is_repeated else self.example

    @property
    def section(self) -> str:
        """The first name of its path; empty for a top-level key."""
        return self.path.partition(".")[0] if "." in self.path else ""


@frozen(kw_only=True)
class _Field:
    """The field of a key: its type, and what its class says about it."""

    kind: Any
    default: Any
    entry: str


def config_keys(table: Any = RawConfig, prefix: str = "", *, is_repeated: bool = False) -> Iterator[ConfigKey]:
    """Yield every key of a table and of the tables in it.

    Raises:
        ValueError: a key has no help, or neither a default nor an example.
    """
    entries = descriptions(table)
    for name, kind in key_types(table).items():
        key_field = _Field(kind=kind, default=default_of(table, name), entry=entries.get(name, ""))
        yield from _keys_of_field(f"{prefix}{name}", key_field, is_repeated=is_repeated)


def _keys_of_field(path: str, key_field: _Field, *, is_repeated: bool) -> Iterator[ConfigKey]:
    kind = key_field.kind
    if is_table(kind):
        yield from config_keys(kind, f"{path}.", is_repeated=is_repeated)
    elif get_origin(kind) is tuple and is_table(get_args(kind)[0]):
        yield from config_keys(get_args(kind)[0], f"{path}.", is_repeated=True)
    elif get_origin(kind) is Mapping:
        member = attrs.evolve(key_field, kind=get_args(kind)[1], default=None)
        yield from _keys_of_field(f"{path}.{NAME_PLACEHOLDER}", member, is_repeated=is_repeated)
    else:
        yield _config_key(path, key_field, is_repeated=is_repeated)


def _config_key(path: str, key_field: _Field, *, is_repeated: bool) -> ConfigKey:
    help_text, _, example = re.sub(r"\s+", " ", key_field.entry).partition("Example: ")
    default, is_list = _to_literal(key_field.default), get_origin(key_field.kind) is tuple
    if not help_text or not (example or default):
        raise ValueError(f"{path}: describe it under Attributes of its class, with an Example if it has no default")
    return ConfigKey(
        path=path,
        type=_type_name(key_field.kind),
        default=default,
        variable="" if is_repeated or is_list else f"INVOKE_{path.replace('.', '_').upper()}",
        help=f"{help_text[0].upper()}{help_text[1:].strip()}",
        example=example or default,
        is_repeated=is_repeated,
    )


def _type_name(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _type_name(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    return TYPE_NAMES.get(kind) or next(TYPE_NAMES[member] for member in get_args(kind) if member in TYPE_NAMES)


def _to_literal(value: Any) -> str:
    """Return a value as a TOML literal; empty for nothing and for an empty text."""
    if isinstance(value, list):
        return f"[{', '.join(map(_to_literal, value))}]"
    if isinstance(value, bool | int):
        return str(value).lower()
    return f'"{value}"' if value else ""
