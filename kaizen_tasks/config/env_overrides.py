"""What environment variables cannot say: Invoke overrides the configuration with them, and ends in a traceback then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaizen_tasks.config.load import Raw

PREFIX = "INVOKE_"
WORDS = {int: "a whole number", float: "a number"}


def faults(configuration: Raw, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield for each variable that cannot override its key what is wrong with it.

    https://docs.pyinvoke.org/en/stable/concepts/configuration.html#env-vars says which variable overrides which key.

    Args:
        configuration: every key that may be overridden, with what it says now.
        environ: the variables.
    """
    for path, value in _leaves(configuration, ()):
        name = PREFIX + "_".join(path).upper()
        if name in environ and (fault := _fault(value, environ[name])):
            yield f"{name}: {fault}"


def _leaves(raw: Raw, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in raw.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _fault(value: Any, text: str) -> str:
    if isinstance(value, list):
        return "a variable cannot hold a list; set it in the configuration file"
    if type(value) in WORDS:
        try:
            type(value)(text)
        except ValueError:
            return f"{text!r} should be {WORDS[type(value)]}"
    return ""
