"""The port of what people are shown while a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import StepLabel


class Reporter(Protocol):
    """Tells people what happens. Safe to call from several threads."""

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        ...

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Say what a step has decided; an `Act` begins here."""
        ...

    def progress(self, label: StepLabel, text: str) -> None:
        """Say how far an act is."""
        ...

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Say what one of several checks of an act has found."""
        ...

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Say that an act has ended well."""
        ...

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Say that an act has ended badly; the error itself follows."""
        ...

    def note(self, text: str) -> None:
        """Say something else that people should know."""
        ...

    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Show several environments beside each other for as long as the context lasts.

        Args:
            environments: names, in order.
            typical_duration: the seconds that a release usually takes in one, None when nobody knows; it may take its time, and
                is asked in another thread where the answer is shown, elsewhere not at all.
        """
        ...

    def environment_finished(self, environment: str, error: str) -> None:
        """Say that nothing more happens in one of several environments, and what is wrong there; empty for nothing."""
        ...
