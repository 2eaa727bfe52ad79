"""Marks for the methods of ports that change something; a method without a mark only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Method = TypeVar("Method", bound="Callable[..., object]")

_EFFECT = "__effect__"
_NEEDS_LOCK = "__needs_lock__"


def mutates(effect: str, *, needs_lock: bool = True) -> Callable[[Method], Method]:
    """Return a decorator that marks a port's method as one that changes something; calls are not slowed down.

    Args:
        effect: what is true after the call, for error messages: "the image is pushed".
        needs_lock: whether the environment's lock protects what is changed. Other methods protect their changes
            themselves (locks, a compare-and-swap on the remote) or change only this clone or machine.
    """

    def mark(method: Method) -> Method:
        setattr(method, _EFFECT, effect)
        setattr(method, _NEEDS_LOCK, needs_lock)
        return method

    return mark


def effects(port: type) -> Mapping[str, str]:
    """Return the effects of a port's methods that change something, by the method's name."""
    return {name: getattr(method, _EFFECT) for name, method in vars(port).items() if hasattr(method, _EFFECT)}


def effects_under_lock(port: type) -> Mapping[str, str]:
    """Return the effects of a port's methods that need the environment's lock, by the method's name."""
    return {name: effect for name, effect in effects(port).items() if getattr(vars(port)[name], _NEEDS_LOCK)}
