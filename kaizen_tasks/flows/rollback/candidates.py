"""Back to a release that was verified: which ones there are, and which one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Candidate, Entry, candidates, serving, way_back
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools


def known(environment: Environment, tools: Tools) -> tuple[Candidate, ...]:
    """Return the verified releases other than the serving one, the latest first."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY)
    current = serving(entries)
    found = candidates(entries, other_than=current.digest if current else "")
    return tuple(Candidate(entry=entry, exists=_exists(environment, entry, tools)) for entry in found)


def _exists(environment: Environment, entry: Entry, tools: Tools) -> bool:
    return tools.registry.image(environment.repository, entry.digest) is not None


def choose(environment: Environment, wanted: Version | None, tools: Tools) -> Release:
    """Return the last verified release before the serving one, or the wanted one.

    A rollback that was stopped is finished, and one that is finished is done: as long as nothing else came since, its
    release is meant, and not the one before it. Going further back takes a name.

    Raises:
        Refused: there is none, it was never verified here, or its image is gone.
    """
    begun = way_back(tools.ledger.entries(environment.name, limit=ledger.HISTORY))
    name = versions.image_tag(wanted) if wanted else ""
    if begun is not None and name in {"", begun.version}:
        return _release(begun)
    found = known(environment, tools)
    chosen = next((each for each in found if each.entry.version == (name or each.entry.version)), None)
    if chosen is None:
        raise _unknown(environment, name, found)
    if not chosen.exists:
        raise Refused(
            f"{environment.name}: {environment.repository} no longer holds the image of {chosen.entry.version}",
            state="nothing has been changed",
            hint=f"inv rollback --env {environment.name} --list shows what there is",
        )
    return _release(chosen.entry)


def _release(entry: Entry) -> Release:
    return Release(version=versions.parse(entry.version), commit=entry.commit, digest=entry.digest)


def _unknown(environment: Environment, name: str, found: tuple[Candidate, ...]) -> Refused:
    others = ", ".join(each.entry.version for each in found)
    what = f"{name} was never verified in {environment.name}, or is serving" if name else ""
    return Refused(
        what or f"{environment.name} has no verified release before the one that is serving",
        state="nothing has been changed",
        hint=f"verified there: {others}" if others else f"inv history --env {environment.name} shows what was",
    )
