"""Prepares `INVOKE_*` variables for Invoke, which shows a traceback for a wrong type and reads `false` as true."""

from __future__ import annotations

import difflib
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from kaizen_tasks.config import checks
from kaizen_tasks.config.tables import GitTagRules, RawEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from kaizen_tasks.config.load import TomlTable

ENV_PREFIX = "INVOKE_"
INVOKE_TABLES = ("RUN_", "RUNNERS_", "SUDO_", "TASKS_", "TIMEOUTS_")
"""What the variables of Invoke's own configuration begin with."""

LIKENESS = 0.8
"""How like one of ours the name of an unknown variable must be to count as misspelt: an app may have its own."""

TABLES_OF_NAMES = tuple(
    f"{ENV_PREFIX}{table}_"
    for table in (
        "BUILD_ARGS",
        "BUILD_CONTEXTS",
        "BUILD_SECRETS",
        "CHANGELOG_RULES",
        "ENVIRONMENTS",
        "GROUPS",
        "REHEARSE_ENV",
        "VERIFY_HEADERS",
    )
)
"""What variables begin with whose next part is a name from the configuration, perhaps from that of another app."""

BOOLEANS = {**dict.fromkeys(("true", "yes", "on", "1"), "1"), **dict.fromkeys(("false", "no", "off", "0", ""), "0")}
"""Values of a boolean variable, and what to write for Invoke, which takes everything but `0` and empty as true."""


def prepare_variables(config: TomlTable, environ: MutableMapping[str, str]) -> tuple[str, ...]:
    """Rewrite boolean variables as Invoke reads them; return a message for each variable of a wrong type.

    https://docs.pyinvoke.org/en/stable/concepts/configuration.html#env-vars says which variable overrides which key.

    Args:
        config: every key that may be overridden; a boolean without a value gets one, which tells Invoke its type.
        environ: the environment variables, rewritten in place.
    """
    errors = []
    for table, path in _leaf_keys(config, ()):
        name = variable_name(path)
        if name in environ:
            kind = _value_type(table, path[-1])
            if kind is bool and environ[name].lower() in BOOLEANS:
                environ[name] = BOOLEANS[environ[name].lower()]
                table[path[-1]] = bool(table[path[-1]])
            elif error := _override_error(kind, environ[name]):
                errors.append(f"{name}: {error}")
    return tuple(errors)


def misspelt_variables(config: TomlTable, environ: Iterable[str]) -> Iterator[str]:
    """Yield a message for each variable that overrides nothing: of one of our tables, or spelt almost as one.

    Tasks of the app may have keys of their own in these tables, so that such a variable is no error.

    Args:
        config: every key that may be overridden.
        environ: the names of the environment variables.
    """
    names = {variable_name(path) for _, path in _leaf_keys(config, ())}
    tables = tuple(f"{variable_name([key])}_" for key, value in config.items() if isinstance(value, dict))
    invoke_tables = tuple(ENV_PREFIX + table for table in INVOKE_TABLES)
    keys = [name.removeprefix(ENV_PREFIX) for name in names]
    for variable in sorted(environ):
        if not variable.startswith(ENV_PREFIX) or variable in names or variable.startswith(invoke_tables):
            continue
        cutoff = 0.0 if variable.startswith(tables) and not variable.startswith(TABLES_OF_NAMES) else LIKENESS
        key = variable.removeprefix(ENV_PREFIX).upper()
        if nearest := difflib.get_close_matches(key, keys, n=1, cutoff=cutoff):
            yield f"{variable} overrides nothing; did you mean {ENV_PREFIX}{nearest[0]}?"


def variable_name(path: Iterable[str]) -> str:
    """Return the variable that overrides a key."""
    return ENV_PREFIX + "_".join(path).upper()


def _leaf_keys(table: TomlTable, path: tuple[str, ...]) -> Iterator[tuple[TomlTable, tuple[str, ...]]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaf_keys(value, (*path, key))
        else:
            yield table, (*path, key)


def _value_type(table: TomlTable, key: str) -> Any:
    """Return the type of a key's value; if it has none, as is possible for some, its declared type."""
    if table[key] is not None:
        return type(table[key])
    all_hints = (get_type_hints(owner, None, {"checks": checks}) for owner in (RawEnvironment, GitTagRules))
    hint = next(hints[key] for hints in all_hints if key in hints)
    return next(kind for kind in get_args(hint) if kind is not NoneType)


def _override_error(kind: Any, text: str) -> str:
    if kind is list:
        return "a variable cannot hold a list; set it in the configuration file"
    if kind is bool:
        return f"{text!r} should be true or false (or yes, no, on, off, 1, 0)"
    if kind in {int, float}:
        try:
            kind(text)
        except ValueError:
            return f"{text!r} should be a {'whole number' if kind is int else 'number'}"
    return ""
