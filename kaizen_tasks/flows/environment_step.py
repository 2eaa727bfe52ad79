"""The base of the steps that concern one environment."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import StepLabel


@frozen(kw_only=True)
class EnvironmentStep:
    """A step for one environment.

    Attributes:
        step_name: what the step is called in output.
        environment: the environment that the step is for.
    """

    step_name: ClassVar[str]
    environment: Environment

    @property
    def label(self) -> StepLabel:
        """The step's name and environment."""
        return StepLabel(self.step_name, self.environment.name)
