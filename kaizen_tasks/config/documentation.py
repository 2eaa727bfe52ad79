"""What the classes of the tables say about their keys: defaults, and the help in their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.config.structure import key_types
from kaizen_tasks.config.tables import to_toml
from kaizen_tasks.domain.text.duration import Seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCSTRING_ENTRY = re.compile(r"^    (\w+): (.+(?:\n     .+)*)", re.MULTILINE)


def descriptions(table: Any) -> Mapping[str, str]:
    """Return the help of each key of a table, as its docstring has it: with line breaks and an example."""
    return dict(DOCSTRING_ENTRY.findall((inspect.getdoc(table) or "").partition("Attributes:\n")[2]))


def default_of(table: Any, name: str) -> Any:
    """Return a default as TOML would have it; None when there is none."""
    if not attrs.has(table):
        return to_toml(table._field_defaults.get(name))
    default: Any = attrs.fields_dict(table)[name].default
    if default is attrs.NOTHING or hasattr(default, "factory"):
        return None
    return to_toml(float(default) if key_types(table)[name] is Seconds else default)
