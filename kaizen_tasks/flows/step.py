"""What a step is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import Release, StepLabel
    from kaizen_tasks.ports.tools import Tools


class Step(Protocol):
    """One thing on the way of a release, with a name and two verbs."""

    @property
    def label(self) -> StepLabel:
        """Its name, and the environment that it is for."""
        ...

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the world, and say whether there is something to do. Change nothing."""
        ...

    def act(self, release: Release, tools: Tools) -> Release:
        """Do it. Called only after `decide` has answered `Act`; afterwards `decide` must answer `Done`."""
        ...


Flow = tuple[Step, ...]
