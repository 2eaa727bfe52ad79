"""Finds the release that can be promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.decision import Done, Refuse
from kaizen_tasks.domain.ledger import Entry, Event, serving
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.steps import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from semver import Version

    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.release import Image
    from kaizen_tasks.ports.tools import Tools


UNCHANGED = "nothing has been changed"


def verified_in(stage: Stage, wanted: Version | None, tools: Tools) -> Release:
    """Return the release that was verified last in every environment of a stage, or the wanted one.

    Raises:
        Refused: none was, or the environments do not agree.
    """
    return _agreed(stage, {each.name: _proof(each, wanted, tools) for each in stage.environments}, "verified with")


def serving_in(stage: Stage, wanted: Version | None, tools: Tools) -> Release:
    """Return the release that every environment of a stage runs, or the wanted one, whether it is proven or not.

    Raises:
        Refused: nothing was deployed there, the environments do not agree, or the wanted one has no image.
    """
    if wanted is None:
        return _agreed(stage, {each.name: _served(each, tools) for each in stage.environments}, "deployed with")
    _, image = holder(stage, versions.image_tag(wanted), tools)
    return Release(version=wanted, commit=image.revision, digest=image.digest)


def holder(stage: Stage, name: str, tools: Tools) -> tuple[Environment, Image]:
    """Return whose repository holds a release: of an environment of the stage, else of the stages before it.

    Args:
        stage: where to begin.
        name: of the release, as its image is tagged.
        tools: the outside world.

    Raises:
        Refused: none does.
    """
    place: Stage | None = stage
    while place is not None:
        for environment in place.environments:
            image = tools.registry.image(environment.repository, name)
            if image is not None:
                return environment, image
        place = tools.settings.stage_before(place)
    raise Refused(
        f"{name} is in no repository of {stage.name} or of a stage before it",
        state=UNCHANGED,
        hint=f"release it first: inv release-{tools.settings.first_stage.name}",
    )


def demand(environments: tuple[Environment, ...], before: Stage, release: Release, tools: Tools) -> None:
    """Look for the evidence that environments want, before anybody is asked anything.

    What the one that wants the oldest evidence accepts, all of them do.

    Raises:
        Refused: one of them does not accept the release.
    """
    strictest = max(environments, key=lambda each: each.min_age)
    if isinstance(Evidence(environment=strictest, stage=before).of_stage(release, tools), Done):
        return
    for environment in environments:
        decided = Evidence(environment=environment, stage=before).decide(release, tools)
        if isinstance(decided, Refuse):
            raise Refused(f"{environment.name}: {'; '.join(decided.why)}", state=UNCHANGED, hint=decided.hint)


def _agreed(stage: Stage, entries: Mapping[str, Entry], how: str) -> Release:
    if len({entry.digest for entry in entries.values()}) > 1:
        said = ", ".join(f"{name} {entry.version}" for name, entry in entries.items())
        raise Refused(
            f"the environments of {stage.name} were not {how} one and the same release: {said}",
            state=UNCHANGED,
            hint="name the release to promote: --release vX.Y.Z",
        )
    entry = next(iter(entries.values()))
    return Release(version=versions.parse(entry.version), commit=entry.commit, digest=entry.digest)


def _served(environment: Environment, tools: Tools) -> Entry:
    entry = serving(tools.ledger.entries(environment.name, limit=ledger.HISTORY))
    if entry is None:
        raise Refused(
            f"nothing was ever deployed to {environment.name}", state=UNCHANGED, hint="name it: --release vX.Y.Z"
        )
    return entry


def _proof(environment: Environment, wanted: Version | None, tools: Tools) -> Entry:
    name = versions.image_tag(wanted) if wanted else ""
    for entry in tools.ledger.entries(environment.name, limit=ledger.HISTORY):
        if entry.event is Event.VERIFIED and entry.version == (name or entry.version):
            return entry
    raise Refused(
        f"{name or 'no release'} was {'never ' if name else ''}verified in {environment.name}",
        state=UNCHANGED,
        hint="release and verify it there first; inv history shows what was",
    )
