"""The steps that write to the ledger: a verified release, the begin of a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, open_rollback
from kaizen_tasks.domain.release import Release, StepLabel
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
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("record", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the newest entry says so."""
        latest_entry = ledger.read_latest_entry(self.environment, tools)
        if latest_entry is not None and latest_entry.event is Event.VERIFIED and latest_entry.is_evidence_for(release):
            return Done(f"the ledger says {release.name} is verified in {self.environment.name}", release)
        return Act(f"write into the ledger that {release.name} is verified in {self.environment.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(Event.VERIFIED, self.environment, release, tools)
        return release


@frozen(kw_only=True)
class MarkRollback:
    """Write into the ledger that somebody goes back, so that the same command finishes it and does not go further.

    Attributes:
        environment: where.
        reason: why.
    """

    environment: Environment
    reason: str

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("mark rollback", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the way back to this release was begun, and nothing else came since."""
        pending_rollback = open_rollback(tools.ledger.entries(self.environment.name))
        if pending_rollback is not None and pending_rollback.digest == release.digest:
            return Done(f"{pending_rollback.actor} goes back to {release.name}: {pending_rollback.reason}", release)
        return Act(f"write into the ledger: back to {release.name}, {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(Event.ROLLBACK, self.environment, release, tools, reason=self.reason)
        return release
