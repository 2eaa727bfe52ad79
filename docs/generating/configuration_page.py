"""`configuration.md`: every key of `kaizen.toml`."""

from __future__ import annotations

import re
import tomllib
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.generating.configuration_keys import NAME_PLACEHOLDER, ConfigKey, config_keys
from docs.generating.markdown import code, fence, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXAMPLE = Path(__file__).with_name("every-key.toml")
HEADINGS = {
    "smoke": "[[smoke]]",
    "docs_checklist": "[[docs_checklist]]",
    "environments": f"[environments.{NAME_PLACEHOLDER}]",
}
"""Headings that differ from the name in brackets."""

INTRODUCTION = """\
The configuration is `kaizen.toml` beside `tasks.py`, or the table `[tool.kaizen]` of `pyproject.toml`. `app` is enough
for the release side. To deploy, an app needs `pipeline`, `aws.region` and a table for each environment.

Every problem is reported at once, with file, key, what is wrong and the nearest valid name; see
[exit code 2](exit-codes.md#2).

What is left out has a default; a key of `[environments.NAME]` has that of `[defaults]`. Above the file stand Invoke's
own layers: `invoke.yaml`, `inv -f FILE` and environment variables. A variable overrides a key that has a default or
stands in the file; a list has no variable. For `true or false`, `0` and nothing mean false, and anything else means
true.

A duration is written like `300ms`, `90s`, `5m`, `1h30m` or `7d`. `NAME` stands for a name of your own; in a variable it
is in capitals.
"""


def render() -> str:
    """Return the page.

    Raises:
        ValueError: the example lacks a key.
    """
    documented_keys, text = config_keys(), EXAMPLE.read_text(encoding="utf-8")
    if missing_paths := [
        key.path for key in documented_keys if key.path not in set(_paths(tomllib.loads(text), documented_keys))
    ]:
        raise ValueError(f"{EXAMPLE.name} lacks {', '.join(missing_paths)}")
    sections = (
        _section(name, group, _excerpt(name, text)) for name, group in groupby(documented_keys, lambda key: key.section)
    )
    return page("Configuration", INTRODUCTION, *sections)


def _section(name: str, section_keys: Iterable[ConfigKey], example: str) -> str:
    heading = f"## `{HEADINGS.get(name, f'[{name}]')}`" if name else "## Above all tables"
    rows = ((code(key.path), key.type, code(key.default), code(key.variable), key.meaning) for key in section_keys)
    head = ("Key", "Type", "Default", "Environment variable", "Meaning")
    return "\n\n".join((heading, table(head, rows), fence("toml", example)))


def _excerpt(section: str, text: str) -> str:
    """Return the tables of a section; for no section, what stands above all tables."""
    blocks = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    if not section:
        return blocks[0]
    return "".join(block for block in blocks[1:] if re.match(rf"\[+{section}[].]", block))


def _paths(raw: Any, documented_keys: Iterable[ConfigKey], parents: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the keys that an example uses, with `NAME` for names."""
    key_paths = {key.path for key in documented_keys}
    for name, value in raw.items():
        key_path = (
            (*parents, NAME_PLACEHOLDER)
            if any(path.startswith(".".join((*parents, NAME_PLACEHOLDER))) for path in key_paths)
            else (*parents, name)
        )
        for element in value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]:
            if isinstance(element, dict):
                yield from _paths(element, documented_keys, key_path)
            else:
                yield ".".join(key_path)
