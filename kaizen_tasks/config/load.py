"""Finds and reads the configuration file at every start-up: imports the standard library only, and checks nothing."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kaizen_tasks.config.regular_file import read_regular_file
from kaizen_tasks.config.tables import RawConfig, RawEnvironment, to_toml
from kaizen_tasks.errors import Refused

CONFIG_FILE_NAME = "kaizen.toml"
MAX_CONFIG_BYTES = 1024 * 1024
PYPROJECT_TABLE = "tool.kaizen"
KEY_TUPLE = r"\(('[^']*',? ?)+\)"
FIX_HINT = "correct the file there, then run the same command again"
TomlTable = dict[str, Any]  # TOML as it was written; `validate` turns it into Settings


class ConfigFile(NamedTuple):
    """A configuration file as it was read.

    Attributes:
        root: the app's folder.
        name: what to call the file in messages.
        table: the file's content; empty when the file does not exist or is not TOML.
        error: why the file cannot be read, or empty.
        hint: what to do about the error.
    """

    root: Path
    name: str
    table: TomlTable
    error: str = ""
    hint: str = ""


def find_config_file() -> ConfigFile:
    """Return the configuration of the app around the working directory.

    Invoke puts the folder of `tasks.py` first on `sys.path` before it loads that file, so that `inv --search-root`
    works; the `kaizen` program searches from the working directory upwards.
    """
    working_directory = Path.cwd()
    for folder in (Path(sys.path[0] or working_directory), working_directory, *working_directory.parents):
        config_file = read_config_file(folder)
        if config_file is not None:
            return config_file
    error = f"{CONFIG_FILE_NAME}: not found in {working_directory} or above"
    hint = "write one from what is found in the app's folder: kaizen init"
    return ConfigFile(working_directory, CONFIG_FILE_NAME, {}, error, hint)


def read_config_file(folder: Path) -> ConfigFile | None:
    """Return `kaizen.toml`, else `[tool.kaizen]` of `pyproject.toml`; None when the folder has neither."""
    return _choose_file(folder, lambda name: _load_toml(folder / name))


def read_committed_config(folder: Path, read: Callable[[str], bytes | None]) -> ConfigFile | None:
    """Return the configuration of a commit; None when the commit has none, or is not in this clone.

    Args:
        folder: the app's folder.
        read: returns the content that a file of that folder has in the commit; None when there is no such file.
    """

    def load(name: str) -> tuple[TomlTable, str] | None:
        content = read(name)
        return None if content is None else _parse_toml(name, content)

    return _choose_file(folder, load)


def _choose_file(folder: Path, load: Callable[[str], tuple[TomlTable, str] | None]) -> ConfigFile | None:
    kaizen_toml = load(CONFIG_FILE_NAME)
    if kaizen_toml is not None:
        return ConfigFile(folder, CONFIG_FILE_NAME, *kaizen_toml, hint=FIX_HINT)
    pyproject = load("pyproject.toml")
    return None if pyproject is None else _from_pyproject(folder, *pyproject)


def _from_pyproject(folder: Path, pyproject: TomlTable, error: str) -> ConfigFile | None:
    name, tool_table = f"pyproject.toml [{PYPROJECT_TABLE}]", pyproject.get("tool", {})
    if not error and not (isinstance(tool_table, dict) and "kaizen" in tool_table):
        return None
    kaizen_table = tool_table.get("kaizen", {})
    if not isinstance(kaizen_table, dict):
        return ConfigFile(folder, name, {}, f"{name}: should be a table", 'begin with [tool.kaizen] and app = "NAME"')
    return ConfigFile(folder, name, kaizen_table, error, FIX_HINT)


def _load_toml(path: Path) -> tuple[TomlTable, str] | None:
    try:
        content = read_regular_file(path, path.name, max_bytes=MAX_CONFIG_BYTES)
    except FileNotFoundError:
        return None
    except Refused as error:
        return ({}, error.message) if os.path.lexists(path) else None  # else the folder itself cannot be searched
    return _parse_toml(path.name, content)


def _parse_toml(name: str, content: bytes) -> tuple[TomlTable, str]:
    """Return the content of a TOML file, and why it is none; one of the two is empty."""
    try:
        return tomllib.loads(content.decode("utf-8-sig")), ""
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, f"{name}: {re.sub(KEY_TUPLE, _dotted_key, str(error))}"


def _dotted_key(key_tuple: re.Match[str]) -> str:
    """Return a key that tomllib shows as a tuple, such as `('environments', 'prod')`, as it is written."""
    return ".".join(re.findall(r"'([^']*)'", key_tuple[0]))


def with_defaults(table: TomlTable) -> TomlTable:
    """Return a configuration completed with all defaults: every key that Invoke's own sources may override.

    A value of the wrong type stays as it is: `validate` reports it.
    """
    completed = with_table_defaults(table)
    environments = completed["environments"]
    if isinstance(environments, dict):
        completed["environments"] = _merge({name: to_toml(RawEnvironment()) for name in environments}, environments)
    return completed


def with_table_defaults(table: TomlTable) -> TomlTable:
    """Return a configuration completed with all defaults but those of each environment.

    Invoke copies what it is given for each task, and its time for environment variables grows with the square of the
    number of keys: with the defaults of a thousand environments, each command took two seconds longer.

    An unknown key is left out: it may be one of Invoke's own (`run`, `tasks`), for which Invoke would fail before
    `validate` reports the key.
    """
    defaults = to_toml(RawConfig())
    return _merge(defaults, {key: value for key, value in table.items() if key in defaults})


def _merge(base: TomlTable, overrides: TomlTable) -> TomlTable:
    result = dict(base)
    for key, value in overrides.items():
        base_value = base.get(key)
        result[key] = _merge(base_value, value) if isinstance(base_value, dict) and isinstance(value, dict) else value
    return result
