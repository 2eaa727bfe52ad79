"""The steps that write to the ledger: a verified release, the begin of a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, way_back
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Record:
    """Write into the ledger that the release was verified here.

    Attributes:
        environment: where.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("record", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the newest entry says so."""
        newest = ledger.newest(self.environment, tools)
        if newest is not None and newest.event is Event.VERIFIED and newest.proves(release):
            return Done(f"the ledger says {release.name} is verified in {self.environment.name}", release)
        return Act(f"write into the ledger that {release.name} is verified in {self.environment.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(Event.VERIFIED, self.environment, release, tools)
        return release


@frozen(kw_only=True)
class Return:
    """Write into the ledger that somebody goes back, so that the same command finishes it and does not go further.

    Attributes:
        environment: where.
        reason: why.
    """

    environment: Environment
    reason: str

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("return", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the way back to this release was begun, and nothing else came since."""
        begun = way_back(tools.ledger.entries(self.environment.name))
        if begun is not None and begun.digest == release.digest:
            return Done(f"{begun.actor} goes back to {release.name}: {begun.reason}", release)
        return Act(f"write into the ledger: back to {release.name}, {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(Event.ROLLBACK, self.environment, release, tools, reason=self.reason)
        return release
