"""What can be wrong with `[runtime]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.config.structure import Problem, nearest
from kaizen_tasks.domain.json_document import NUMBERS
from kaizen_tasks.domain.runtime_config import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.runtime_config import Key, RuntimeRules


def problems(rules: RuntimeRules) -> Iterator[Problem]:
    """Find keys that no value could satisfy, and names that point nowhere."""
    for position, name in enumerate(rules.visible):
        if name not in rules.keys:
            what = f"{name!r} is not in runtime.keys{nearest(name, tuple(rules.keys))}"
            yield Problem(f"runtime.visible.{position}", what)
    for name, key in rules.keys.items():
        yield from _of_key(f"runtime.keys.{name}", key)


def _of_key(path: str, key: Key) -> Iterator[Problem]:
    if key.type not in KINDS:
        yield Problem(f"{path}.type", f"{key.type!r} is not a type{nearest(key.type, KINDS)}")
        return
    if key.type == "choice" and not key.choices:
        yield Problem(f"{path}.choices", "is missing: the texts that the value may be")
    if key.type != "choice" and key.choices:
        yield Problem(f"{path}.choices", f"is for the type 'choice', and not for {key.type!r}")
    for bound in ("min", "max"):
        if getattr(key, bound) is not None and key.type not in NUMBERS:
            yield Problem(f"{path}.{bound}", f"is for numbers, and not for the type {key.type!r}")
    if key.min is not None and key.max is not None and key.min > key.max:
        yield Problem(f"{path}.min", f"{key.min:g} is above the max of {key.max:g}")
