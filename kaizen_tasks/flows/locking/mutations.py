"""Checks the lock before every change of a run, and logs the changes for the error of a run that stops half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.errors import NOTHING_CHANGED, Cancelled, Interrupted, NotFound, Refused, Undeployable, Unreachable
from kaizen_tasks.ports.attempts import AttemptLimit, limit_attempts
from kaizen_tasks.ports.effects import effects_under_lock

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


class MutationLog:
    """What a run has changed so far. Safe to use from several threads."""

    def __init__(self) -> None:
        self._mutations: dict[str, None] = {}

    def add(self, mutation: str) -> None:
        """Remember a change."""
        self._mutations[mutation] = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been changed."""
        return not self._mutations

    @contextmanager
    def note_in_interruptions(self) -> Iterator[None]:
        """Add what has been changed as a note to Ctrl-C, and to the error of an output that cannot be written."""
        try:
            yield
        except (KeyboardInterrupt, OSError) as error:
            error.add_note(f"done so far: {', '.join(self._mutations)}" if self._mutations else NOTHING_CHANGED)
            raise

    @contextmanager
    def reclassify_errors(self) -> Iterator[None]:
        """Turn a refusal into an interruption when something has been changed before it.

        `NotFound` and `Undeployable` stay: the platform reports them before it changes anything.

        Raises:
            Interrupted: in place of a refusal, when something has been changed.
        """
        try:
            with self.note_in_interruptions():
                yield
        except (NotFound, Undeployable):
            raise
        except Refused as error:
            if not self._mutations:
                raise
            state = f"the same command goes on from here: {', '.join(self._mutations)}"
            raise Interrupted(error.message, state=state, hint=error.hint) from error


@cache
def guarded_calls() -> Mapping[str, Mapping[str, str]]:
    """Return the effect of each method that changes what a lock protects, by port and method name."""
    from kaizen_tasks.ports.index import PORTS

    return {name: effects for name, port in PORTS.items() if (effects := effects_under_lock(port))}


def guard_mutations(tools: Tools, limit: AttemptLimit, mutations: MutationLog) -> Tools:
    """Return the tools with a check before every call that changes what a lock protects, and before all its attempts.

    The check comes immediately before the call, because a process may be stopped for longer than its lease between two
    requests of one step, and before each attempt of the call, because the network may be gone for longer than that.

    Args:
        tools: the ports.
        limit: raises when the lock may no longer be this run's own, and otherwise returns how long it certainly is.
        mutations: where changes are remembered.
    """

    def guard(call: Callable[..., object], effect: str) -> Callable[..., object]:
        def guarded_call(*args: object, **kwargs: object) -> object:
            limit()
            try:
                with limit_attempts(limit):
                    result = call(*args, **kwargs)
            except (Unreachable, Cancelled, KeyboardInterrupt):
                mutations.add(f"perhaps {effect}")
                raise
            mutations.add(effect)
            return result

        return guarded_call

    def guard_port(name: str, port: Any) -> object:
        if name == "at":
            return lambda environment: _Proxy(port(environment), guard_port)
        effects = guarded_calls().get(name)
        if effects is None:
            return port
        return _Proxy(port, lambda method, call: guard(call, effects[method]) if method in effects else call)

    return cast("Tools", _Proxy(tools, guard_port))  # it forwards every attribute


class _Proxy:
    """Forwards every attribute of a target through a function that gets the attribute's name and value."""

    __slots__ = ("_forward", "_target")

    def __init__(self, target: object, forward: Callable[[str, Any], object]) -> None:
        self._target, self._forward = target, forward

    def __getattr__(self, name: str) -> object:
        return self._forward(name, getattr(self._target, name))
