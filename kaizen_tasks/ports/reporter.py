"""The port of what is shown while a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import StepLabel


class Reporter(Protocol):
    """Shows what happens. Safe to call from several threads."""

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""
        ...

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Show what a step has decided; an `Act` starts here."""
        ...

    def progress(self, label: StepLabel, text: str) -> None:
        """Show how far an act is."""
        ...

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show the result of one of several checks of an act."""
        ...

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Show that an act has succeeded."""
        ...

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Show that an act has failed; the error itself is printed later."""
        ...

    def note(self, text: str) -> None:
        """Show any other line."""
        ...

    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Show several environments in a table for as long as the context lasts.

        Args:
            environments: names, in order.
            typical_duration: returns the seconds that a release usually takes in an environment, None when unknown. It
                may be slow: it is called in a thread of its own, and only where the answer is shown.
        """
        ...

    def environment_finished(self, environment: str, error: str) -> None:
        """Show that one of several environments has ended, with its error; an empty one means success."""
        ...
