"""Reads and writes ledger entries about releases in environments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack

from attrs import evolve

from kaizen_tasks.domain import ledger
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Cancelled, KaizenError

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
    return release.matches(latest_entry)


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
    """Append an entry about a release in an environment and return it; see `new_entry`."""
    return write(new_entry(event, environment, release, tools, **fields), tools, is_hotfix=is_hotfix)


def new_entry(
    event: Event, environment: Environment, release: Release, tools: Tools, **fields: Unpack[EntryFields]
) -> LedgerEntry:
    """Return an entry that says what happens now to a release in an environment; it is not written yet.

    Its reason includes the release's waiver.
    """
    waiver_note = f"without evidence: {release.waiver}" if release.waiver else ""
    fields["reason"] = "; ".join(filter(None, (fields.get("reason", ""), waiver_note)))
    return LedgerEntry(
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


def write(entry: LedgerEntry, tools: Tools, *, is_hotfix: bool = False) -> LedgerEntry:
    """Write an entry and return it with its number; see `write_all`."""
    return write_all((entry,), tools, is_hotfix=is_hotfix)[0]


def write_all(entries: Sequence[LedgerEntry], tools: Tools, *, is_hotfix: bool = False) -> tuple[LedgerEntry, ...]:
    """Write entries of one environment, all or none, with the notifications of those who are told of them.

    Args:
        entries: the entries, the oldest first.
        tools: the ports.
        is_hotfix: whether they verify a hotfix.

    Returns:
        the entries with their numbers.
    """
    if tools.settings.notify:
        from kaizen_tasks.flows.news import entry_notifications, write_with

        news = (entry_notifications(entry, tools, is_hotfix=is_hotfix) for entry in entries)
        notifications = tuple(notification for each in news for notification in each)
        written = write_with(notifications, partial(tools.ledger.append_all, entries), tools)
    else:
        written = tools.ledger.append_all(entries)
    for entry in written:
        tools.run_report.record(entry)
    return written


@contextmanager
def keeping_outcome(release: Release, tools: Tools) -> Iterator[None]:
    """Write the outcome of the deployment if its verification fails, with whose entry it would have been written.

    A run that is killed meanwhile leaves the intent, and the next one finds that the deployment has succeeded.
    """
    try:
        yield
    except (KaizenError, KeyboardInterrupt) as error:
        is_cancelled = isinstance(error, KeyboardInterrupt | Cancelled)
        with suppress(KaizenError) if is_cancelled else nullcontext():
            write_outcome(release, tools)
        raise


def write_outcome(release: Release, tools: Tools) -> Release:
    """Write the outcome of the deployment if it is not written yet; return the release without it."""
    if release.outcome is None:
        return release
    write(release.outcome, tools)
    return evolve(release, outcome=None)


def record_outcome(intent: LedgerEntry, event: Event, tools: Tools, *, reason: str = "", took: float = 0.0) -> None:
    """Record what has become of the deployment of an earlier run, and why."""
    outcome = evolve(intent, event=event, at=tools.clock.now(), reason=reason, replaces="", took=took)
    write(evolve(outcome, actor=tools.actor, run_url=tools.run_url), tools)
