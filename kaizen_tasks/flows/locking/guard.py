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

CHANGING: Mapping[str, Mapping[str, str]] = {
    "builder": {"push": "the image is pushed"},
    "registry": {"copy": "the image is copied", "point": ":latest points at it"},
    "platform": {"start": "a deployment was started"},
    "ledger": {"append": "the ledger has it", "attach": "the ledger has it"},
    "holds": {"add": "it is held"},
    "secrets": {"write": "the secret is written", "restore": "the secret is what it was"},
}
"""The calls that change what a lock protects, by port, and what is so afterwards."""


@frozen(kw_only=True)
class Trace:
    """What a run has changed so far. Safe to use from several threads."""

    _done: dict[str, None] = field(factory=dict)

    def add(self, what: str) -> None:
        """Remember a change."""
        self._done[what] = None

    @contextmanager
    def telling(self) -> Iterator[None]:
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
            if not self._done:
                raise
            state = f"the same command goes on from here: {', '.join(self._done)}"
            raise Interrupted(error.what, state=state, hint=error.hint) from error


def guarded(tools: Tools, check: Callable[[], None], trace: Trace) -> Tools:
    """Return the tools with a check before every call that changes something.

    A process may be stopped for longer than its lease in the middle of an act, between two requests. The check costs
    nothing, and nothing stands between it and the call.

    Args:
        tools: the outside world.
        check: goes on only when the lock is this run's own.
        trace: where it is remembered what has been changed.
    """
    return cast("Tools", _GuardedTools(tools=tools, check=check, trace=trace))  # it has what they have


@frozen(kw_only=True)
class _GuardedTools:
    _tools: Tools
    _check: Callable[[], None]
    _trace: Trace

    def __getattr__(self, name: str) -> object:
        port: object = getattr(self._tools, name)
        if name not in CHANGING:
            return port
        return _GuardedPort(port=port, changing=CHANGING[name], check=self._check, trace=self._trace)


@frozen(kw_only=True)
class _GuardedPort:
    _port: object
    _changing: Mapping[str, str]
    _check: Callable[[], None]
    _trace: Trace

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        return self._change(name, found) if name in self._changing else found

    def _change(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def changing(*args: object, **named: object) -> object:
            self._check()
            try:
                answer = call(*args, **named)
            except Unreachable:
                self._trace.add(f"perhaps {self._changing[name]}")
                raise
            self._trace.add(self._changing[name])
            return answer

        return changing
