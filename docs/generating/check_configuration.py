"""Checks the parts of `kaizen.toml` that documents show: every key must exist, and have a value that fits."""

from __future__ import annotations

import tomllib

from kaizen_tasks.config.structure import StructureError, structure
from kaizen_tasks.config.tables import RawConfig

OTHER_FILES = {"build-system", "dependency-groups", "package", "project"}
"""Top-level tables of `pyproject.toml` and `Cargo.toml`."""


def configuration_problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with a part of a configuration: a whole one needs more keys.

    Args:
        text: of a code block in TOML.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (str(error),)
    if table.keys() & OTHER_FILES:
        return ()
    table = table.get("tool", {}).get("kaizen", table)
    unknown_keys = table.keys() - set(RawConfig._fields)
    problems = [f"{key}: unknown key" for key in sorted(unknown_keys)]
    try:
        structure({key: value for key, value in table.items() if key not in unknown_keys}, RawConfig)
    except StructureError as error:
        problems += (f"{problem.path}: {problem.message}" for problem in error.problems)
    return tuple(problem for problem in problems if "missing" not in problem)
