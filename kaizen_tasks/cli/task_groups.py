"""The groups in which `--list` shows the tasks, the daily ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GROUPS: dict[str, tuple[str, ...]] = {
    "Release": (
        *("release-*", "promote-*", "promote", "rollback", "hotfix", "cut", "propose", "announce", "next-release"),
        *("bump", "commit", "build", "push", "deploy", "verify", "tag", "release.abandon"),
    ),
    "Operate": (
        *("status", "history", "metrics", "dashboard", "run", "logs", "doctor", "migrate"),
        *("hold.add", "hold.remove", "lock.show", "lock.release", "command.resolve", "notify.test"),
    ),
    "Changelog": ("changelog.add", "changelog.check", "changelog.show", "changelog.release"),
    "Configuration": (
        *("runtime.show", "runtime.diff", "runtime.set", "runtime.rollback", "runtime.deploy"),
        *("init", "setup", "config.schema"),
    ),
    "Rehearse": ("rehearse", "demo", "local.up", "local.down", "local.status"),
}
"""The names of each group's tasks; `*` stands for the stages of the pipeline."""

OWN = "This app's own"
"""The group of the tasks that an app adds in its `tasks.py`."""


def group_tasks(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of tasks by group, in the order of `--list`; groups without a task are left out.

    Args:
        names: the tasks that there are. Those of one pattern, the stages of the pipeline, keep their order.
    """
    remaining = list(names)
    grouped = dict[str, tuple[str, ...]]()
    for title, patterns in GROUPS.items():
        members = [name for pattern in patterns for name in remaining if _matches(name, pattern)]
        remaining = [name for name in remaining if name not in members]
        grouped[title] = tuple(members)
    grouped = {"Release": grouped.pop("Release"), OWN: tuple(remaining), **grouped}
    return {title: members for title, members in grouped.items() if members}


def _matches(name: str, pattern: str) -> bool:
    start, star, _ = pattern.partition("*")
    return len(name) > len(start) and name.startswith(start) if star else name == pattern
