"""The protocol of a step; a flow is a tuple of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import Release, StepLabel
    from kaizen_tasks.ports.tools import Tools


class Step(Protocol):
    """One step of a release."""

    @property
    def label(self) -> StepLabel:
        """Its name, and the environment it is for."""

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Return whether there is something to do. Change nothing."""

    def act(self, release: Release, tools: Tools) -> Release:
        """Do it. Called only after `decide` returned `Act`; afterwards `decide` must return `Done`."""


Flow = tuple[Step, ...]
