"""The step that holds an environment; rollbacks and hotfixes end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.flows.step import EnvironmentStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class AddHold(EnvironmentStep):
    """Hold the environment, so that promotions leave it alone until the hold is removed.

    Attributes:
        environment: the environment to hold.
        reason: why, in one line.
    """

    step_name: ClassVar[str] = "hold"
    reason: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the environment's hold, which anybody may have added."""
        hold = tools.holds.get(self.environment.name)
        if hold is not None:
            return Done(f"{self.environment.name} is {hold}", release)
        return Act(f"hold {self.environment.name} until inv hold.remove: {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Add the hold."""
        hold = Hold(
            environment=self.environment.name,
            reason=self.reason,
            actor=tools.actor,
            since=tools.clock.now(),
            run_url=tools.run_url,
        )
        tools.holds.add(hold)
        return release
