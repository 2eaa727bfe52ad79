"""The step that demands evidence in the ledger before a promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.step import EnvironmentStep, ReadOnlyStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Evidence(ReadOnlyStep, EnvironmentStep):
    """Demand that the same digest was verified in the previous stage, and long enough ago.

    A release that was verified in the environment itself may return to it.

    Attributes:
        environment: the target.
        stage: the previous stage.
    """

    step_name: ClassVar[str] = "evidence"
    stage: Stage

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the verification in every environment of the stage in the ledger, which also provides the digest."""
        decision = self.decide_for_stage(release, tools)
        own_proof = _find_proof(self.environment, release, tools) if isinstance(decision, Refuse) else None
        if own_proof is not None:
            reason = f"verified in {self.environment.name} itself {_age_and_actor(own_proof, tools)}"
            return Done(reason, _with_proof(release, own_proof))
        return decision

    def decide_for_stage(self, release: Release, tools: Tools) -> Decision:
        """Decide by the previous stage alone, whatever was verified in the environment itself."""
        proofs = []
        for environment in self.stage.environments:
            proof = _find_proof(environment, release, tools)
            if proof is None:
                digest = f" ({release.digest[:19]})" if release.digest else ""
                reason = f"{release.name}{digest} was never verified in {environment.name}"
                hint = f"verify it there first: inv verify --env {environment.name} --release {release.name}"
                return Refuse(reasons=(reason,), hint=hint)
            release = _with_proof(release, proof)
            proofs.append(proof)
        return self._decide_by_age(max(proofs, key=lambda proof: proof.at), release, tools)

    def _decide_by_age(self, latest_proof: LedgerEntry, release: Release, tools: Tools) -> Decision:
        description = f"verified in {self.stage.name} {_age_and_actor(latest_proof, tools)}"
        remaining = self.environment.min_age - _age(latest_proof, tools)
        if remaining <= 0:
            return Done(description, release)
        min_age = duration.format_duration(self.environment.min_age)
        requirement = f"{self.environment.name} accepts what was verified {min_age} ago"
        return Refuse(
            reasons=(f"{release.name} was {description}, and {requirement}",),
            hint=f"run the same command again in {duration.format_duration(remaining)}, "
            'or give a reason not to wait: --without-evidence "reason"',
        )


def _find_proof(environment: Environment, release: Release, tools: Tools) -> LedgerEntry | None:
    """Return the newest verification of a release or None, by its digest or, if that is unknown, by its version."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    proofs = (entry for entry in entries if entry.event is Event.VERIFIED)
    if release.digest:
        return next((entry for entry in proofs if entry.digest == release.digest), None)
    return next((entry for entry in proofs if entry.version == release.name), None)


def _with_proof(release: Release, proof: LedgerEntry) -> Release:
    return evolve(release, digest=proof.digest, commit=release.commit or proof.commit)


def _age(proof: LedgerEntry, tools: Tools) -> float:
    return (tools.clock.now() - proof.at).total_seconds()


def _age_and_actor(proof: LedgerEntry, tools: Tools) -> str:
    return f"{duration.format_duration(_age(proof, tools))} ago by {proof.actor}"
