"""Compares configurations of services by the names of what differs; values may be secrets, so none is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEY_MEMBERS = ("name", "containerName", "key")
"""Members that identify an element of a list: those of variables, secrets and containers, and those of tags."""


def lost_members(
    before: Mapping[str, Any], after: Mapping[str, Any], *, ignored: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the paths of what is missing or different afterwards: `environment.API_URL`, `cpu`.

    What is only there afterwards is no loss: ECS fills in defaults. Lists without names may change their order.

    Args:
        before: a configuration.
        after: the same configuration later.
        ignored: paths that may differ.
    """
    return tuple(dict.fromkeys(path for path in _differences(before, after, "") if path not in ignored))


def _differences(before: Any, after: Any, path: str) -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return _member_differences(before, after, path)
    before_items, after_items = _by_name(before), _by_name(after)
    if before_items and (after_items or not after):
        return _member_differences(before_items, after_items, path)
    if isinstance(before, list) and isinstance(after, list):
        return [] if sorted(map(repr, before)) == sorted(map(repr, after)) else [path]
    return [] if before == after or before in (None, "", [], {}) else [path]


def _member_differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> list[str]:
    prefix = f"{path}." if path else ""
    return [
        difference
        for name, value in before.items()
        for difference in _differences(value, after.get(name), f"{prefix}{name}")
    ]


def _by_name(value: Any) -> dict[str, Any]:
    """Return the elements of a list by what identifies them; empty for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        return {}
    for member in KEY_MEMBERS:
        if all(member in item for item in value):
            return {str(item[member]): _without(member, item) for item in value}
    return {}


def _without(member: str, item: Mapping[str, Any]) -> Any:
    """Return an element without what identifies it; if one member is left, as a variable's value, only its value."""
    others = {key: value for key, value in item.items() if key != member}
    return next(iter(others.values())) if len(others) == 1 else others
