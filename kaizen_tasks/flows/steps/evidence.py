"""What the ledger knows: evidence before a promotion, the record after it, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Done, Refuse
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.ledger import Entry
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Evidence:
    """Demand that the same digest was verified in the stage before, and long enough ago.

    What was verified in the environment itself may come back to it.

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
        """Look for the proof in the ledger, for every environment of the stage; it says which digest is meant."""
        decided = self.of_stage(release, tools)
        own = _proof(self.environment, release, tools) if isinstance(decided, Refuse) else None
        if own is not None:
            return Done(f"verified in {self.environment.name} itself {_by(own, tools)}", _proven(release, own))
        return decided

    def of_stage(self, release: Release, tools: Tools) -> Decision:
        """Look in the stage before alone."""
        proofs = []
        for environment in self.stage.environments:
            proof = _proof(environment, release, tools)
            if proof is None:
                return Refuse(
                    why=(f"{_named(release)} was never verified in {environment.name}",),
                    hint=f"verify it there first: inv verify --env {environment.name} --release {release.name}",
                )
            release = _proven(release, proof)
            proofs.append(proof)
        return self._old_enough(max(proofs, key=lambda proof: proof.at), release, tools)

    def _old_enough(self, newest: Entry, release: Release, tools: Tools) -> Decision:
        said = f"verified in {self.stage.name} {_by(newest, tools)}"
        left = self.environment.min_age - _age(newest, tools)
        if left <= 0:
            return Done(said, release)
        wanted = f"{self.environment.name} accepts what was verified {duration.show(self.environment.min_age)} ago"
        return Refuse(
            why=(f"{release.name} was {said}, and {wanted}",),
            hint=f'type the same command again in {duration.show(left)}, or say why not: --without-evidence "reason"',
        )

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: evidence is found or not."""
        return release


def _proof(environment: Environment, release: Release, tools: Tools) -> Entry | None:
    """Return the newest proof of a release: of its digest, or of its version while no digest is known."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY)
    proofs = (each for each in entries if each.event is Event.VERIFIED)
    if release.digest:
        return next((each for each in proofs if each.digest == release.digest), None)
    return next((each for each in proofs if each.version == release.name), None)


def _proven(release: Release, proof: Entry) -> Release:
    return evolve(release, digest=proof.digest, commit=release.commit or proof.commit)


def _named(release: Release) -> str:
    return f"{release.name} ({release.digest[:19]})" if release.digest else release.name


def _age(proof: Entry, tools: Tools) -> float:
    return (tools.clock.now() - proof.at).total_seconds()


def _by(proof: Entry, tools: Tools) -> str:
    return f"{duration.show(_age(proof, tools))} ago by {proof.actor}"
