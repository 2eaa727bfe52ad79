"""The port of the output that people see while a command runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import StepLabel


class Reporter(Protocol):
    """Shows people what happens. Safe to use from several threads."""

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Show what a step has decided; an `Act` starts now."""

    def progress(self, label: StepLabel, text: str) -> None:
        """Show the progress of an act."""

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show the result of one of several checks of an act."""

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Show that an act succeeded."""

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Show that an act failed; the error itself follows."""

    def note(self, text: str) -> None:
        """Show a line of text."""

    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Show a table of several environments while the context lasts.

        Args:
            environments: names, in order.
            typical_duration: returns the seconds that a release usually takes in an environment, or None. It may be
                slow: it is called in another thread, and only by a reporter that shows the result.
        """

    def environment_finished(self, environment: str, error: str) -> None:
        """Show that an environment of the table is done, and with which error; empty when it succeeded."""
