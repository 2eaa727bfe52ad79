"""What the ledger knows: evidence before a promotion, the record after it, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.ledger import Event, way_back
from kaizen_tasks.domain.plan import Act, Done, Refuse
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.flows import ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.plan import Decision
    from kaizen_tasks.ports import Tools


@frozen(kw_only=True)
class Evidence:
    """Demand that the same digest was verified in the stage before.

    Attributes:
        environment: that wants the release.
        stage: the stage before it.
    """

    environment: Environment
    stage: Stage

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("evidence", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the proof in the ledger, for every environment of the stage."""
        proofs = []
        for environment in self.stage.environments:
            entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY)
            proof = next(
                (each for each in entries if each.event is Event.VERIFIED and each.digest == release.digest),
                None,
            )
            if proof is None:
                return Refuse(
                    why=(f"{release.name} ({release.digest[:19]}) was never verified in {environment.name}",),
                    hint=f"verify it there first: inv verify --env {environment.name}",
                )
            proofs.append(proof)
        newest = max(proofs, key=lambda proof: proof.at)
        ago = duration.show((tools.clock.now() - newest.at).total_seconds())
        return Done(f"verified in {self.stage.name} {ago} ago by {newest.actor}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: evidence is found or not."""
        return release


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
