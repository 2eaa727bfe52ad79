"""The releases that a rollback can choose, and the one that it chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import LedgerEntry, RollbackCandidate, open_rollback, rollback_candidates, serving_entry
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def list_candidates(environment: Environment, tools: Tools) -> tuple[RollbackCandidate, ...]:
    """Return the verified releases other than the serving one, the latest first."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    current_entry = serving_entry(entries)
    verified_entries = rollback_candidates(entries, excluded_digest=current_entry.digest if current_entry else "")
    return tuple(
        RollbackCandidate(entry=entry, image_exists=_image_exists(environment, entry, tools))
        for entry in verified_entries
    )


def _image_exists(environment: Environment, entry: LedgerEntry, tools: Tools) -> bool:
    return tools.registry.find_image(environment.repository, entry.digest) is not None


def choose_release(environment: Environment, requested_version: Version | None, tools: Tools) -> Release:
    """Return the last verified release before the serving one, or the requested one.

    If the latest entries are a rollback, finished or not, and no other version is requested, return its release again:
    the same command finishes that rollback and does not go further back.

    Raises:
        Refused: no such release was verified in the environment, or its image is gone.
    """
    pending_rollback = open_rollback(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    name = versions.image_tag(requested_version) if requested_version else ""
    if pending_rollback is not None and name in {"", pending_rollback.version}:
        return ledger.release_from_entry(pending_rollback)
    verified_releases = list_candidates(environment, tools)
    selected_candidate = next(
        (candidate for candidate in verified_releases if candidate.entry.version == (name or candidate.entry.version)),
        None,
    )
    if selected_candidate is None:
        raise _unknown_release_error(environment, name, verified_releases, tools)
    if not selected_candidate.image_exists:
        raise Refused(
            f"{environment.name}: {environment.repository} no longer has {selected_candidate.entry.version}",
            state=NOTHING_CHANGED,
            hint=f"inv rollback --env {environment.name} --list shows the releases to choose from",
        )
    return ledger.release_from_entry(selected_candidate.entry)


def _unknown_release_error(
    environment: Environment, name: str, verified_releases: tuple[RollbackCandidate, ...], tools: Tools
) -> Refused:
    current_entry = serving_entry(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    is_serving = current_entry is not None and current_entry.version == name
    alternatives = ", ".join(candidate.entry.version for candidate in verified_releases)
    reason = "is the release that is serving" if is_serving else "was never verified there"
    message = f"{environment.name}: {name} {reason}" if name else ""
    return Refused(
        message or f"{environment.name} has no verified release before the serving one",
        state=NOTHING_CHANGED,
        hint=f"verified there: {alternatives}"
        if alternatives
        else f"inv history --env {environment.name} shows its ledger",
    )
