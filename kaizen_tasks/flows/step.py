"""The protocol of a step, and what marks steps of some kinds; a flow is a tuple of steps."""

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
        """The step's name and environment."""

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Return what the step would do in the current state, without changing anything."""

    def act(self, release: Release, tools: Tools) -> Release:
        """Make the change that `decide` announced and return the updated release; `decide` must then return `Done`."""


Flow = tuple[Step, ...]


class FileStep:
    """A step whose `act` changes nothing but the files of the release, which may be in memory."""


class ReasonedStep:
    """A step whose reason to act is worth more than its result: the reason is shown when the step has ended."""


class ProbeStep:
    """A step whose `act` only asks the running app: it changes nothing that the lock protects."""


class ReadOnlyStep:
    """A step that only checks: its `decide` never returns `Act`."""

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing."""
        return release
