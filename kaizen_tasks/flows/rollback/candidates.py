"""Finds the releases that a rollback can choose, and the repositories that still have their images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import LedgerEntry, RollbackCandidate, release_to_leave, rollback_candidates
from kaizen_tasks.domain.ledger_commands import irreversible_since
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_LOOKUPS = 16


@frozen(kw_only=True)
class RollbackTarget:
    """The release that an environment goes back to.

    Attributes:
        release: the release.
        source: the environment whose repository has the image; the environment itself unless its own has lost it.
        missing: names of newer candidates, whose image is in no repository.
    """

    release: Release
    source: Environment
    missing: tuple[str, ...] = ()

    def describe_exceptions(self, environment: Environment) -> str:
        """Return in words why this is not the newest candidate, or where the image comes from; mostly empty."""
        gone = f"no repository has {' or '.join(self.missing)} any more" if self.missing else ""
        copied = f"{self.release.name} is copied back from {self.source.repository}"
        return "; ".join(filter(None, (gone, copied if self.source != environment else "")))


def list_candidates(environment: Environment, tools: Tools) -> tuple[RollbackCandidate, ...]:
    """Return the verified releases other than the one to leave, the latest first."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    leaving = release_to_leave(entries)
    candidates = []
    for entry in rollback_candidates(entries, excluded_digest=leaving.digest if leaving else ""):
        source = find_image_source(environment, entry.digest, tools)
        obstacle = irreversible_since(entries, entry.digest)
        image_environment = source.name if source else ""
        candidates.append(RollbackCandidate(entry=entry, image_environment=image_environment, obstacle=obstacle))
    return tuple(candidates)


def first_with_image(
    environment: Environment, candidates: Iterable[LedgerEntry], tools: Tools
) -> RollbackTarget | tuple[str, ...]:
    """Return the first candidate whose image exists; the names of all of them when there is no image of any.

    Args:
        environment: the environment to roll back.
        candidates: ledger entries of releases, the preferred one first.
        tools: the ports.
    """
    missing: tuple[str, ...] = ()
    for entry in candidates:
        source = find_image_source(environment, entry.digest, tools)
        if source is not None:
            return RollbackTarget(release=ledger.release_from_entry(entry), source=source, missing=missing)
        missing = (*missing, entry.version)
    return missing


def find_image_source(environment: Environment, digest: str, tools: Tools) -> Environment | None:
    """Return the environment whose repository has an image: itself, else the first other one; None without any.

    Every release has passed through the first stage, so its repositories are searched before the many of later stages.
    """
    if tools.at(environment).registry.find_image(environment.repository, digest) is not None:
        return environment
    first_stage = tools.settings.first_stage.environments
    by_repository: dict[str, Environment] = {}
    for other in (*first_stage, *tools.settings.environments.values()):
        by_repository.setdefault(other.repository, other)
    by_repository.pop(environment.repository, None)
    others = tuple(by_repository.values())

    def has_image(other: Environment) -> bool:
        with suppress(NotFound):  # a tenant whose repository is not created yet
            return tools.at(other).registry.find_image(other.repository, digest) is not None
        return False

    early = [other for other in others if other in first_stage]
    late = [other for other in others if other not in first_stage]
    found = next(filter(has_image, early), None)
    if found is None:
        results = map_parallel(has_image, late, max_workers=MAX_CONCURRENT_LOOKUPS)
        found = next((other for other, is_there in zip(late, results, strict=True) if is_there), None)
    return found


def names_without_image(names: Sequence[str]) -> str:
    """Return the sentence that names the verified releases of which there is no image."""
    return f"no repository of the pipeline has an image of {', '.join(names)}"
