"""The port of the output that people see while a command runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import StepLabel


class Reporter(Protocol):
    """The output that tells people what happens. Safe to use from several threads."""

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Show what a step has decided; after an `Act`, the step acts."""

    def progress(self, label: StepLabel, text: str, *, typical_seconds: float = 0) -> None:
        """Show the progress of a step that acts.

        Args:
            label: the step.
            text: what it is doing now.
            typical_seconds: how long the step usually takes; 0 when unknown.
        """

    def activity(self, label: StepLabel, text: str, *, replaces: bool = False) -> None:
        """Show what a step that acts is doing, for as long as it acts: see `ports.activity`."""

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show the result of one of several checks of a step."""

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Show that a step succeeded."""

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Show that a step failed; the error itself is shown later."""

    def interrupted(self, label: StepLabel, seconds: float) -> None:
        """Show that Ctrl-C or a signal has ended a step."""

    def note(self, text: str, label: StepLabel | None = None) -> None:
        """Show a line of text.

        Args:
            text: the line.
            label: the step whose output it is; in a rollout to many environments it may be shown only if that fails.
        """

    def summary(self, text: str, next_step: str, seconds: float) -> None:
        """Show the last line of a command that has succeeded.

        Args:
            text: what it has achieved.
            next_step: what to type next, with the words before it; empty when nothing follows.
            seconds: how long it took.
        """

    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Show a table of several environments while the context lasts.

        Args:
            environments: names of the environments, in order.
            typical_duration: returns the seconds that a release usually takes in an environment, or None. The function
                may be slow: reporters that show the duration call it in another thread, the others never.
        """

    def environment_finished(self, environment: str, error: str, *, interrupted: bool = False) -> None:
        """Show that an environment of the table has ended, with its error; an empty error means success.

        Args:
            environment: the environment's name.
            error: what went wrong.
            interrupted: whether nothing did, and Ctrl-C or a signal has ended the run.
        """
