"""Reads and writes ledger entries about releases in environments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack

from attrs import evolve

from kaizen_tasks.domain import ledger
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Release

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools


HISTORY_LIMIT = 200
"""Number of an environment's entries that are searched for a verification, the serving release or a rollback."""


def release_from_entry(entry: LedgerEntry) -> Release:
    """Return the release that a ledger entry is about."""
    return Release(version=versions.parse_version(entry.version), commit=entry.commit, digest=entry.digest)


def read_latest_entry(environment: Environment, tools: Tools) -> LedgerEntry | None:
    """Return the latest entry about a deployment to an environment, or None."""
    entry = ledger.latest_deployment_entry(tools.ledger.entries(environment.name))
    return entry or ledger.latest_deployment_entry(tools.ledger.entries(environment.name, limit=HISTORY_LIMIT))


def read_serving_digest(environment: Environment, tools: Tools) -> str | None:
    """Return the digest of the serving image: that of the last successful deployment; None if the ledger has none.

    If no deployment has succeeded yet, because the environment was deployed by hand before, return the digest that
    the followed tag had when our first deployment started.
    """
    entries = tools.ledger.entries(environment.name, limit=HISTORY_LIMIT)
    serving_entry = ledger.serving_entry(entries)
    if serving_entry is not None:
        return serving_entry.digest
    return next((entry.replaces for entry in reversed(entries) if entry.replaces), None)


def was_verified(environment: Environment, release: Release, tools: Tools) -> bool:
    """Return whether the latest entry is a verification of this release in the environment."""
    return is_verification_of(release, read_latest_entry(environment, tools))


def is_verification_of(release: Release, latest_entry: LedgerEntry | None) -> bool:
    """Return whether an environment's latest entry is a verification of this release."""
    if latest_entry is None or latest_entry.event is not Event.VERIFIED:
        return False
    return latest_entry.is_evidence_for(release)


class EntryFields(TypedDict, total=False):
    """Optional fields of an entry; see `LedgerEntry`."""

    operation: str
    replaces: str
    reason: str
    took: float
    command: str
    irreversible: bool
    platform: str
    url: str


def append(
    event: Event,
    environment: Environment,
    release: Release,
    tools: Tools,
    *,
    is_hotfix: bool = False,
    **fields: Unpack[EntryFields],
) -> LedgerEntry:
    """Append an entry about a release in an environment and return it; its reason includes the release's waiver."""
    waiver_note = f"without evidence: {release.waiver}" if release.waiver else ""
    fields["reason"] = "; ".join(filter(None, (fields.get("reason", ""), waiver_note)))
    entry = LedgerEntry(
        environment=environment.name,
        event=event,
        version=release.name,
        commit=release.commit,
        digest=release.digest,
        at=tools.clock.now(),
        actor=tools.actor,
        run_url=tools.run_url,
        configuration=release.configuration,
        **fields,
    )
    return write(entry, tools, is_hotfix=is_hotfix)


def write(entry: LedgerEntry, tools: Tools, *, is_hotfix: bool = False) -> LedgerEntry:
    """Write an entry, with the notifications of those who are told of it, and return it with its number.

    Args:
        entry: the entry.
        tools: the ports.
        is_hotfix: whether it verifies a hotfix.
    """
    if tools.settings.notify:
        from kaizen_tasks.flows.notification.news import entry_notifications, write_with

        notifications = entry_notifications(entry, tools, is_hotfix=is_hotfix)
        written = write_with(notifications, partial(tools.ledger.append, entry), tools)
    else:
        written = tools.ledger.append(entry)
    tools.run_report.record(written)
    return written


def record_abandoned(entry: LedgerEntry, tools: Tools, *, reason: str) -> None:
    """Record that the deployment of an entry was abandoned, and why."""
    outcome = evolve(entry, event=Event.ABANDONED, at=tools.clock.now(), reason=reason, replaces="", took=0.0)
    write(evolve(outcome, actor=tools.actor, run_url=tools.run_url), tools)
