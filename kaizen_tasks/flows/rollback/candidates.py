"""Finds the releases that a rollback can choose, and the repositories that still have their images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import LedgerEntry, RollbackCandidate, release_to_leave, rollback_candidates
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools


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
        candidates.append(RollbackCandidate(entry=entry, image_environment=source.name if source else ""))
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
    """Return the environment whose repository has an image: itself, else the first other one; None without any."""
    if tools.registry.find_image(environment.repository, digest) is not None:
        return environment
    others = {other.repository: other for other in tools.settings.environments.values()}
    others.pop(environment.repository, None)
    for repository, other in others.items():
        with suppress(NotFound):  # a tenant whose repository is not created yet
            if tools.registry.find_image(repository, digest) is not None:
                return other
    return None


def names_without_image(names: Sequence[str]) -> str:
    """Return the sentence that names the verified releases of which there is no image."""
    return f"no repository of the pipeline has an image of {', '.join(names)}"
