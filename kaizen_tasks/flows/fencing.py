"""Stands between a step and the outside: nothing is changed any more once the lock may be somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from attrs import frozen

from kaizen_tasks.ports import Tools

CHANGING: Mapping[str, frozenset[str]] = {
    "builder": frozenset({"push"}),
    "registry": frozenset({"copy", "point"}),
    "platform": frozenset({"start"}),
    "ledger": frozenset({"append", "attach"}),
    "holds": frozenset({"add"}),
    "secrets": frozenset({"write", "restore"}),
}
"""The calls that change what a lock protects, by port."""


def guarded(tools: Tools, check: Callable[[], None]) -> Tools:
    """Return the tools with a check before every call that changes something.

    A process may be stopped for longer than its lease in the middle of an act, between two requests. The check costs
    nothing, and nothing stands between it and the call.

    Args:
        tools: the outside world.
        check: goes on only when the lock is this run's own.
    """
    return cast("Tools", _GuardedTools(tools=tools, check=check))  # it has what they have


@frozen(kw_only=True)
class _GuardedTools:
    _tools: Tools
    _check: Callable[[], None]

    def __getattr__(self, name: str) -> object:
        port: object = getattr(self._tools, name)
        return _GuardedPort(port=port, changing=CHANGING[name], check=self._check) if name in CHANGING else port


@frozen(kw_only=True)
class _GuardedPort:
    _port: object
    _changing: frozenset[str]
    _check: Callable[[], None]

    def __getattr__(self, name: str) -> object:
        if name in self._changing:
            self._check()
        return getattr(self._port, name)
