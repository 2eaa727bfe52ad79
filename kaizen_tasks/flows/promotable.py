"""Finds the release that can be promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows import ledger

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.ports import Tools


def verified_in(stage: Stage, wanted: Version | None, tools: Tools) -> Release:
    """Return the release that was verified last in every environment of a stage, or the wanted one.

    Raises:
        Refused: none was, or the environments do not agree.
    """
    proofs = {environment.name: _proof(environment, wanted, tools) for environment in stage.environments}
    digests = {proof.digest for proof in proofs.values()}
    if len(digests) > 1:
        said = ", ".join(f"{name} {proof.version}" for name, proof in proofs.items())
        raise Refused(
            f"the environments of {stage.name} were not verified with one and the same release: {said}",
            state="nothing has been changed",
            hint="name the release to promote: --release vX.Y.Z",
        )
    proof = next(iter(proofs.values()))
    return Release(version=versions.parse(proof.version), commit=proof.commit, digest=proof.digest)


def _proof(environment: Environment, wanted: Version | None, tools: Tools) -> Entry:
    name = versions.image_tag(wanted) if wanted else ""
    for entry in tools.ledger.entries(environment.name, limit=ledger.HISTORY):
        if entry.event is Event.VERIFIED and entry.version == (name or entry.version):
            return entry
    raise Refused(
        f"{name or 'no release'} was {'never ' if name else ''}verified in {environment.name}",
        state="nothing has been changed",
        hint="release and verify it there first; inv history shows what was",
    )
