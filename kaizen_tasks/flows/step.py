"""The protocol of a step, and the base of the steps that concern one environment; a flow is a tuple of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
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


@frozen(kw_only=True)
class EnvironmentStep:
    """A step for one environment.

    Attributes:
        step_name: what the step is called in output.
        environment: where.
    """

    step_name: ClassVar[str]
    environment: Environment

    @property
    def label(self) -> StepLabel:
        """The step and its environment."""
        return StepLabel(self.step_name, self.environment.name)


class ReadOnlyStep:
    """A step that only checks: its `decide` never returns `Act`."""

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing."""
        return release
