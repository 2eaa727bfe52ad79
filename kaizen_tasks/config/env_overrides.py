"""What environment variables cannot say: Invoke overrides the configuration with them, and ends in a traceback then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaizen_tasks.config.load import TomlTable

ENV_PREFIX = "INVOKE_"
TYPE_NAMES = {int: "a whole number", float: "a number"}


def env_override_errors(config: TomlTable, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield for each variable that cannot override its key what is wrong with it.

    https://docs.pyinvoke.org/en/stable/concepts/configuration.html#env-vars says which variable overrides which key.

    Args:
        config: every key that may be overridden, with what it says now.
        environ: the variables.
    """
    for path, value in _leaf_values(config, ()):
        name = ENV_PREFIX + "_".join(path).upper()
        if name in environ and (error := _override_error(value, environ[name])):
            yield f"{name}: {error}"


def _leaf_values(table: TomlTable, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaf_values(value, (*path, key))
        else:
            yield (*path, key), value


def _override_error(value: Any, text: str) -> str:
    if isinstance(value, list):
        return "a variable cannot hold a list; set it in the configuration file"
    if type(value) in TYPE_NAMES:
        try:
            type(value)(text)
        except ValueError:
            return f"{text!r} should be {TYPE_NAMES[type(value)]}"
    return ""
