"""`configuration.md`: every key of `kaizen.toml`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from docs.generating.pages.configuration_keys import ConfigKey, config_keys
from docs.generating.pages.markdown import code, fence, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

INTRODUCTION = """\
The configuration is `kaizen.toml` beside `tasks.py`, or the table `[tool.kaizen]` of `pyproject.toml`. `app` is enough
for the release side. To deploy, an app needs `pipeline`, `aws.region` and a table for each environment.

Editors that read the line `#:schema` at the top of the file, as Taplo does (*Even Better TOML* of VS Code, Neovim,
Helix, Zed), complete keys, show help and mark what is wrong. `kaizen init` writes the line, with the address of the
schema of its version or, where that is unknown, of `kaizen.schema.json` beside it. Where an editor cannot read the
address, and after an upgrade: `kaizen config.schema > kaizen.schema.json`, and `#:schema ./kaizen.schema.json`.

Every problem is reported at once, with file, key, what is wrong and the nearest valid name; see
[exit code 2](exit-codes.md#2).

A missing key has its default; a key of `[environments.NAME]` has that of `[defaults]`. Invoke's own sources override
the file, in this order: `invoke.yaml`, `inv -f FILE` and environment variables. A variable is named after its key; a
key below `NAME` has one when the file sets it or when it is a key of an environment. Lists cannot be set by a variable.
A boolean variable is `true`, `yes`, `on` or `1`, or else `false`, `no`, `off`, `0` or empty, in capitals or not;
anything else is an error.

A duration is written like `300ms`, `90s`, `5m`, `1h30m` or `7d`. `NAME` is a name of your own; in a variable it
is in capitals. The examples set each key once.
"""


def render() -> str:
    """Return the page."""
    return page("Configuration", INTRODUCTION, *(_section(*group) for group in _sections()))


def _sections() -> Iterable[tuple[str, tuple[ConfigKey, ...]]]:
    return ((name, tuple(keys)) for name, keys in groupby(config_keys(), lambda key: key.section))


def _section(name: str, keys: tuple[ConfigKey, ...]) -> str:
    heading = f"## `{_header(keys[0])}`" if name else "## Top-level keys"
    rows = ((code(key.path), key.type, code(key.default), code(key.variable), key.help) for key in keys)
    head = ("Key", "Type", "Default", "Environment variable", "Meaning")
    return "\n\n".join((heading, table(head, rows), fence("toml", _example(keys))))


def every_key() -> str:
    """Return a configuration in which every key is set once."""
    return "\n".join(_example(keys) for _, keys in _sections())


def _example(keys: Iterable[ConfigKey]) -> str:
    """Return the lines that set keys of one section, below the headers of their tables; TOML opens a table once."""
    tables = groupby(sorted(keys, key=lambda key: key.table), lambda key: key.table)
    return "\n".join("".join(_table_lines(tuple(table_keys))) for _, table_keys in tables)


def _table_lines(keys: tuple[ConfigKey, ...]) -> Iterable[str]:
    if keys[0].table:
        yield f"{_header(keys[0])}\n"
    yield from (f"{key.assignment}\n" for key in keys)


def _header(key: ConfigKey) -> str:
    return f"[[{key.table}]]" if key.is_repeated else f"[{key.table}]"
