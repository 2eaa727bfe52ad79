"""Validates `[runtime]`: keys that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.structure import ConfigProblem
from kaizen_tasks.domain.json_document import NUMBER_PATTERNS
from kaizen_tasks.domain.runtime_config import KEY_TYPES, KeyRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.config.tables import RuntimeTable


def validate_runtime(runtime: RuntimeTable) -> Iterator[ConfigProblem]:
    """Find keys that no value could satisfy, and names that refer to nothing."""
    for position, name in enumerate(runtime.visible):
        if name not in runtime.keys:
            message = f"{name!r} is not in runtime.keys{suggest(name, tuple(runtime.keys))}"
            yield ConfigProblem(f"runtime.visible.{position}", message)
    for name, key in runtime.keys.items():
        yield from _validate_key(f"runtime.keys.{name}", key)


def _validate_key(path: str, key: KeyRule) -> Iterator[ConfigProblem]:
    if key.type not in KEY_TYPES:
        yield ConfigProblem(f"{path}.type", f"{key.type!r} is not a type{suggest(key.type, KEY_TYPES)}")
        return
    if key.type == "choice" and not key.choices:
        yield ConfigProblem(f"{path}.choices", "is missing: a list of the texts that the value may be")
    if key.type != "choice" and key.choices:
        yield ConfigProblem(f"{path}.choices", f"is only for the type 'choice', not for {key.type!r}")
    for bound in ("min", "max"):
        if getattr(key, bound) is not None and key.type not in NUMBER_PATTERNS:
            yield ConfigProblem(f"{path}.{bound}", f"is only for numbers, not for the type {key.type!r}")
    if key.min is not None and key.max is not None and key.min > key.max:
        yield ConfigProblem(f"{path}.min", f"{key.min:g} is above the max of {key.max:g}")
