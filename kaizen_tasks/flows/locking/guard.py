"""Stands between a step and the outside: nothing is changed any more once the lock may be somebody else's.

It sees every change, so it also knows what a run has done when something keeps it from going on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from attrs import field, frozen

from kaizen_tasks.errors import Interrupted, NotFound, Refused, Undeployable, Unreachable
from kaizen_tasks.ports.tools import Tools

MUTATING_CALLS: Mapping[str, Mapping[str, str]] = {
    "builder": {"push": "the image is pushed"},
    "registry": {"copy": "the image is copied", "move_tag": ":latest points at it"},
    "platform": {"start_deployment": "a deployment was started"},
    "ledger": {"append": "the ledger has it", "set_operation": "the ledger has it"},
    "holds": {"add": "it is held"},
    "secrets": {"write": "the secret is written", "restore": "the secret is what it was"},
}
"""The calls that change what a lock protects, by port, and what is so afterwards."""


@frozen(kw_only=True)
class MutationLog:
    """What a run has changed so far. Safe to use from several threads."""

    _mutations: dict[str, None] = field(factory=dict)

    def add(self, mutation: str) -> None:
        """Remember a change."""
        self._mutations[mutation] = None

    @contextmanager
    def reclassify_errors(self) -> Iterator[None]:
        """Tell a refusal before the first change from one that stops a run half-way.

        What the platform cannot do is found out before anything there is changed, and stays a refusal.

        Raises:
            Interrupted: in place of a refusal, when something has been changed.
        """
        try:
            yield
        except (NotFound, Undeployable):
            raise
        except Refused as error:
            if not self._mutations:
                raise
            state = f"the same command goes on from here: {', '.join(self._mutations)}"
            raise Interrupted(error.message, state=state, hint=error.hint) from error


def guard_mutations(tools: Tools, check: Callable[[], None], mutations: MutationLog) -> Tools:
    """Return the tools with a check before every call that changes something.

    A process may be stopped for longer than its lease in the middle of an act, between two requests. The check costs
    nothing, and nothing stands between it and the call.

    Args:
        tools: the outside world.
        check: goes on only when the lock is this run's own.
        mutations: where it is remembered what has been changed.
    """
    return cast("Tools", _GuardedTools(tools=tools, check=check, mutations=mutations))  # it has what they have


@frozen(kw_only=True)
class _GuardedTools:
    _tools: Tools
    _check: Callable[[], None]
    _mutations: MutationLog

    def __getattr__(self, name: str) -> object:
        port: object = getattr(self._tools, name)
        if name not in MUTATING_CALLS:
            return port
        return _GuardedPort(port=port, effects=MUTATING_CALLS[name], check=self._check, mutations=self._mutations)


@frozen(kw_only=True)
class _GuardedPort:
    _port: object
    _effects: Mapping[str, str]
    _check: Callable[[], None]
    _mutations: MutationLog

    def __getattr__(self, name: str) -> object:
        attribute = getattr(self._port, name)
        return self._guard(name, attribute) if name in self._effects else attribute

    def _guard(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def guarded_call(*args: object, **kwargs: object) -> object:
            self._check()
            try:
                result = call(*args, **kwargs)
            except Unreachable:
                self._mutations.add(f"perhaps {self._effects[name]}")
                raise
            self._mutations.add(self._effects[name])
            return result

        return guarded_call
