"""Selects the release to promote, or to verify where no other is named."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.decision import Done, Refuse
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import LedgerEntry, Verification, serving_entry, verifications
from kaizen_tasks.domain.line import Line
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.ledger.verifications import find_verification, refuse_withdrawn
from kaizen_tasks.flows.promote import lines
from kaizen_tasks.flows.steps import Evidence
from kaizen_tasks.ports.tools import Tools


def find_verified_release(
    stage: Stage, requested_version: Version | None, tools: Tools, *, line: Line | None = None
) -> Release:
    """Return the release that was verified last in every environment of a stage, or the requested one.

    Of releases of several lines, it is the last one of the given line or, without one, of the newest line.

    Held environments are asked only if all are held: they keep what they have, such as a hotfix.

    Raises:
        Refused: no such release was verified in an environment, it failed or was rolled back there since, or the
            environments have different releases.
    """
    name = versions.image_tag(requested_version) if requested_version else ""
    found = {
        member.name: find_verification(member, tools, name=name) if name else _find_last(member, line, tools)
        for member in stage.environments
    }
    held_names: Collection[str] = ()
    if len({verification and verification.entry.digest for verification in found.values()}) > 1:
        held_names = tools.holds.get_many(found)
    asked = [member for member in stage.environments if member.name not in held_names] or stage.environments
    entries = {member.name: _require_standing(member, found[member.name], name, tools) for member in asked}
    return _require_same_release(stage, entries)


def _find_last(environment: Environment, line: Line | None, tools: Tools) -> Verification | None:
    is_accepted = lines.acceptance(line, tools)
    found = verifications(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    accepted = tuple(each for each in found if is_accepted(versions.parse_version(each.entry.version)))
    return lines.newest_of_lines(accepted, tools)


def find_deployed_release(stage: Stage, tools: Tools) -> Release | None:
    """Return the release that later environments were deployed with last; None where the ledger knows of none.

    In the first stage, what is meant is the release that is being made, whether it is deployed there yet or not.

    Raises:
        Refused: the environments were deployed with different releases.
    """
    first_environments = tools.settings.first_stage.environments if tools.settings.pipeline else ()
    if any(environment in first_environments for environment in stage.environments):
        return None
    found = {
        environment.name: serving_entry(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
        for environment in stage.environments
    }
    entries = {name: entry for name, entry in found.items() if entry is not None}
    if len({entry.version for entry in entries.values()}) > 1:
        name, entry = next(iter(entries.items()))
        raise Refused(
            f"{stage.name}: {', '.join(f'{name} has {entry.version}' for name, entry in entries.items())}",
            state=NOTHING_CHANGED,
            hint=f"verify them one by one: inv verify --env {name} --release {entry.version}",
        )
    return next((ledger.release_from_entry(entry) for entry in entries.values()), None)


def find_named_release(stage: Stage, version: Version, tools: Tools) -> Release:
    """Return a release whose image is in the repositories of a stage or of one before it, verified or not.

    Raises:
        Refused: there is no image.
    """
    _, image = find_image_source(stage, versions.image_tag(version), tools)
    return Release(version=version, commit=image.revision, digest=image.digest)


def find_image_source(stage: Stage, name: str, tools: Tools) -> tuple[Environment, Image]:
    """Return an environment of a stage, or of a stage before it, whose repository has a release, and the image.

    Args:
        stage: the stage to search first.
        name: the release's name, which is the tag of its image.
        tools: the ports.

    Raises:
        Refused: no repository has the release.
    """
    candidate_stage: Stage | None = stage
    while candidate_stage is not None:
        for environment in candidate_stage.environments:
            image = tools.at(environment).registry.find_image(environment.repository, name)
            if image is not None:
                return environment, image
        candidate_stage = tools.settings.stage_before(candidate_stage)
    raise Refused(
        f"{name} is in no repository of {stage.name} or of a stage before it",
        state=NOTHING_CHANGED,
        hint=f"release it first: inv release-{tools.settings.first_stage.name}",
    )


def require_evidence(
    environments: tuple[Environment, ...], previous_stage: Stage, release: Release, tools: Tools
) -> None:
    """Check that every environment accepts the release; if the strictest one does, the others need no check.

    Raises:
        Refused: an environment does not accept the release.
    """
    strictest = max(environments, key=lambda candidate: candidate.min_age)
    if isinstance(Evidence(environment=strictest, stage=previous_stage).decide_for_stage(release, tools), Done):
        return
    for environment in environments:
        decision = Evidence(environment=environment, stage=previous_stage).decide(release, tools)
        if isinstance(decision, Refuse):
            raise Refused(
                f"{environment.name}: {'; '.join(decision.reasons)}", state=NOTHING_CHANGED, hint=decision.hint
            )


def _require_same_release(stage: Stage, entries: Mapping[str, LedgerEntry]) -> Release:
    if len({entry.digest for entry in entries.values()}) > 1:
        release_list = ", ".join(f"{name} {entry.version}" for name, entry in entries.items())
        raise Refused(
            f"the environments of {stage.name} were not verified with the same release: {release_list}",
            state=NOTHING_CHANGED,
            hint="name the release to promote: --release vX.Y.Z",
        )
    return ledger.release_from_entry(next(iter(entries.values())))


def _require_standing(
    environment: Environment, verification: Verification | None, name: str, tools: Tools
) -> LedgerEntry:
    """Return the entry of a verification that nothing has withdrawn.

    Raises:
        Refused: there is no verification, or it was withdrawn.
    """
    if verification is None:
        raise Refused(
            f"{name or 'no release'} was {'never ' if name else ''}verified in {environment.name}",
            state=NOTHING_CHANGED,
            hint="release and verify it there first; to see what was verified: inv history",
        )
    if verification.withdrawal:
        refusal = refuse_withdrawn(verification, environment, tools)
        raise Refused(*refusal.reasons, state=NOTHING_CHANGED, hint=refusal.hint)
    return verification.entry
