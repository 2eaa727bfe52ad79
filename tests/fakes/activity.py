"""An observer of activity that records it."""

from __future__ import annotations


class FakeObserver:
    """Records what the step at work is doing.

    Attributes:
        lines: lines of output, in order.
        states: states, each of which replaces the one before.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.states: list[str] = []

    def __call__(self, text: str, *, replaces: bool = False) -> None:
        (self.states if replaces else self.lines).append(text)
