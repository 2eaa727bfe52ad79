"""The step that demands evidence in the ledger before a promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.text import duration
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger.verifications import age_and_actor, entry_age, find_verification, refuse_withdrawn
from kaizen_tasks.flows.step import ReadOnlyStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry, Verification
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Evidence(ReadOnlyStep, EnvironmentStep):
    """Demand that the same digest was verified in the previous stage, and long enough ago.

    A verification counts until the release fails there or is rolled back. Every environment of the stage must have
    verified the release, except held ones that never had it. A release that was verified in the environment itself may
    return to it.

    Attributes:
        environment: the target.
        stage: the previous stage.
    """

    step_name: ClassVar[str] = "evidence"
    stage: Stage

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the verification in every environment of the stage in the ledger, which also provides the digest."""
        decision = self.decide_for_stage(release, tools)
        own_proof = self._find_own_proof(release, tools) if isinstance(decision, Refuse) else None
        if own_proof is not None:
            reason = f"verified in {self.environment.name} itself {age_and_actor(own_proof, tools)}"
            return Done(reason, _with_proof(release, own_proof))
        return decision

    def decide_for_stage(self, release: Release, tools: Tools) -> Decision:
        """Decide by the previous stage alone, whatever was verified in the environment itself."""
        proofs, unproven = [], []
        for environment in self.stage.environments:
            verification = _find_verification(environment, release, tools)
            if verification is None:
                unproven.append(environment)
            elif verification.withdrawal:
                return refuse_withdrawn(verification, environment, tools)
            else:
                release = _with_proof(release, verification.entry)
                proofs.append(verification.entry)
        left_out = _held_names(unproven, tools) if proofs else ()
        for environment in unproven:
            if environment.name not in left_out:
                return _refuse_unproven(environment, release)
        return self._decide_by_age(max(proofs, key=lambda proof: proof.at), left_out, release, tools)

    def _find_own_proof(self, release: Release, tools: Tools) -> LedgerEntry | None:
        """Return the verification in the environment itself, if it stands and the stage has withdrawn none since."""
        own = _find_verification(self.environment, release, tools)
        if own is None or own.withdrawal:
            return None
        for environment in self.stage.environments:
            verification = _find_verification(environment, release, tools)
            if verification and verification.withdrawal and verification.withdrawal.at >= own.entry.at:
                return None
        return own.entry

    def _decide_by_age(
        self, latest_proof: LedgerEntry, left_out: tuple[str, ...], release: Release, tools: Tools
    ) -> Decision:
        exception = f" (without {', '.join(left_out)}: held)" if left_out else ""
        description = f"verified in {self.stage.name}{exception} {age_and_actor(latest_proof, tools)}"
        remaining = self.environment.min_age - entry_age(latest_proof, tools)
        if remaining <= 0:
            return Done(description, release)
        min_age = duration.format_duration(self.environment.min_age)
        requirement = f"{self.environment.name} accepts what was verified {min_age} ago"
        return Refuse(
            reasons=(f"{release.name} was {description}, and {requirement}",),
            hint=f"run the same command again in {duration.format_duration(remaining)}, "
            'or give a reason not to wait: --without-evidence "reason"',
        )


def _find_verification(environment: Environment, release: Release, tools: Tools) -> Verification | None:
    return find_verification(environment, tools, digest=release.digest, name=release.name)


def _held_names(environments: list[Environment], tools: Tools) -> tuple[str, ...]:
    """Return which of the environments are held: a rollout leaves them out, so they prove nothing either way."""
    return tuple(tools.holds.get_many([environment.name for environment in environments])) if environments else ()


def _refuse_unproven(environment: Environment, release: Release) -> Refuse:
    digest = f" ({release.digest[:19]})" if release.digest else ""
    reason = f"{release.name}{digest} was never verified in {environment.name}"
    hint = f"verify it there first: inv verify --env {environment.name} --release {release.name}"
    return Refuse(reasons=(reason,), hint=hint)


def _with_proof(release: Release, proof: LedgerEntry) -> Release:
    return evolve(release, digest=proof.digest, commit=release.commit or proof.commit)
