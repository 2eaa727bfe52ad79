"""Leave an environment as it is: what a rollback and a hotfix end with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import hold as holds
from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class AddHold:
    """Keep promotions away until somebody says otherwise.

    Attributes:
        environment: which.
        reason: why, in one line.
    """

    environment: Environment
    reason: str

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("hold", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether it is held; whose hold it is does not matter."""
        hold = tools.holds.get(self.environment.name)
        if hold is not None:
            return Done(f"{self.environment.name} is {hold}", release)
        return Act(f"leave {self.environment.name} as it is until inv hold.remove: {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the hold."""
        tools.holds.add(
            holds.Hold(
                environment=self.environment.name, reason=self.reason, actor=tools.actor, since=tools.clock.now()
            )
        )
        return release
