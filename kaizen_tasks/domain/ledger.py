"""The record of who deployed which release where and when, and whether it was verified; entries are newest first."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from kaizen_tasks.domain.polling import recent_median

UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)
"""When an entry was written that has no time that this version can read."""


class Event(StrEnum):
    """What an entry records: an intent before the change, an outcome after it.

    `abandoned` is the outcome of a deployment that no run will follow to its end: another release was deployed instead,
    or the platform no longer knows it. `withdrawn` says that a release was given up for good, before it had its tag.
    `migrating` says that a second service is being created on another platform, `retired` that the first one is paused,
    `migrated` that it was deleted, `unmigrated` that the second one was given up.
    The events of commands are about `[[before_deploy]]`; `ran` is a command that somebody ran by hand.
    `unknown` is an entry of a later version, which is shown and decides nothing: a version whose entries must be
    understood raises the table's format number, so that this one does not write.
    """

    STARTED = "started"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    FAILED = "failed"
    ABANDONED = "abandoned"
    ROLLBACK = "rollback"
    CONFIGURED = "configured"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    MIGRATING = "migrating"
    RETIRED = "retired"
    MIGRATED = "migrated"
    UNMIGRATED = "unmigrated"
    COMMAND_STARTED = "command-started"
    COMMAND_SUCCEEDED = "command-succeeded"
    COMMAND_FAILED = "command-failed"
    RAN = "ran"
    UNKNOWN = "unknown"

    @property
    def concerns_deployment(self) -> bool:
        """Whether the event is about the deployed image, unlike rollback intents, configurations and commands."""
        return self not in OTHER_EVENTS and not self.concerns_command and not self.concerns_migration

    @property
    def concerns_migration(self) -> bool:
        """Whether the event is about the platform on which the environment runs."""
        return self in MIGRATION_EVENTS

    @property
    def concerns_command(self) -> bool:
        """Whether the event is about a command in the image, before a deployment or by hand."""
        return self in COMMAND_EVENTS


MIGRATION_EVENTS = frozenset({Event.MIGRATING, Event.RETIRED, Event.MIGRATED, Event.UNMIGRATED})
COMMAND_EVENTS = frozenset({Event.COMMAND_STARTED, Event.COMMAND_SUCCEEDED, Event.COMMAND_FAILED, Event.RAN})
OTHER_EVENTS = frozenset({Event.ROLLBACK, Event.CONFIGURED, Event.RESTORED, Event.WITHDRAWN, Event.UNKNOWN})
"""Events that are about neither the deployed image, nor a command, nor a migration."""


@frozen(kw_only=True)
class LedgerEntry:
    """One entry of the ledger.

    Attributes:
        environment: the environment's name.
        event: what happened.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: digest of the image's manifest.
        at: when the event happened, in UTC.
        actor: who caused the event: the person whom a CI service or a role's session names, else `user@host`.
        operation: the platform's identifier of the deployment or command, or empty; set on an intent after the start.
            For a migration, the identifier of the new service.
        replaces: for an intent, the digest that the followed tag named before; for a migration, the identifier of the
            old service.
        configuration: version of the runtime configuration that was written or deployed.
        reason: why the deployment failed or was abandoned, or the reason that a person gave.
        took: for `deployed`, the duration in seconds by the platform's clock; 0 when the platform reports none.
        unknown_event: for `unknown`, the event's name in the later version.
        run_url: address of the CI run that caused the event, or empty.
        platform: for a migration, the platform of the new service.
        url: for a migration, the address of the new service; empty if it is not known yet.
        command: name of the command that the event is about, or empty.
        irreversible: whether earlier releases may not run with what that command has changed.
        number: position among the environment's entries, counted from 1, which is their order, whatever `at` says; 0
            before the entry is written, and in entries that were written before there were numbers.
    """

    environment: str
    event: Event
    version: str
    commit: str
    digest: str
    at: datetime
    actor: str
    operation: str = ""
    replaces: str = ""
    reason: str = ""
    configuration: str = ""
    took: float = 0.0
    unknown_event: str = ""
    run_url: str = ""
    platform: str = ""
    url: str = ""
    command: str = ""
    irreversible: bool = False
    number: int = field(default=0, eq=False)

    @property
    def event_name(self) -> str:
        """The event as it is shown."""
        return self.unknown_event or str(self.event)


class SearchableEntries(Sequence[LedgerEntry]):
    """Entries that can be searched for events without parsing all of them."""

    @abstractmethod
    def of_events(self, events: Collection[Event]) -> Iterable[LedgerEntry]:
        """Return the entries of some events, newest first."""


def of_events(entries: Iterable[LedgerEntry], events: Collection[Event]) -> Iterable[LedgerEntry]:
    """Return the entries of some events, in their order."""
    if isinstance(entries, SearchableEntries):
        return entries.of_events(events)
    return (entry for entry in entries if entry.event in events)


@frozen(kw_only=True)
class Verification:
    """What an environment's ledger says about a release that was verified there, or has failed without that.

    Attributes:
        entry: the entry of the newest verification; of a release that was never verified, its newest deployment.
        withdrawal: the entry since then that takes it back: the release has failed there, or was rolled back; None if
            the verification stands.
    """

    entry: LedgerEntry
    withdrawal: LedgerEntry | None = None

    @property
    def withdrawal_verb(self) -> str:
        """What happened to a withdrawn release, as the verb of a sentence; empty if the verification stands."""
        if self.withdrawal is None:
            return ""
        verbs = {Event.ROLLBACK: "was rolled back", Event.WITHDRAWN: "was given up"}
        return verbs.get(self.withdrawal.event, "failed")


@frozen(kw_only=True)
class RollbackCandidate:
    """A release that a rollback can choose.

    Attributes:
        entry: the entry of the release's newest verification.
        image_environment: name of the environment whose repository has the image: its own, or another one from which
            it is copied back; empty when there is none.
        obstacle: the entry of an irreversible command that a return to the release would go behind, or None.
    """

    entry: LedgerEntry
    image_environment: str
    obstacle: LedgerEntry | None = None

    @property
    def image_exists(self) -> bool:
        """Whether the release's image is still in the environment's own repository."""
        return self.image_environment == self.entry.environment


def written_since(entries: Sequence[LedgerEntry], since: datetime) -> tuple[LedgerEntry, ...]:
    """Return the entries from a time on; those whose time is unknown only where an older entry is returned.

    Args:
        entries: newest first.
        since: the time, in any zone.
    """
    kept = [entry for entry in entries if entry.at >= since or entry.at == UNKNOWN_TIME]
    while kept and kept[-1].at == UNKNOWN_TIME:
        kept.pop()
    return tuple(kept)


def latest_deployment_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about the deployed image, or None."""
    return next((entry for entry in entries if entry.event.concerns_deployment), None)


def find_withdrawal(entries: Iterable[LedgerEntry], digest: str) -> LedgerEntry | None:
    """Return the entry that a release was given up, or None."""
    return next((entry for entry in of_events(entries, {Event.WITHDRAWN}) if entry.digest == digest), None)


def open_deployment(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the intent of the newest deployment if its outcome is not recorded yet, else None."""
    latest = latest_deployment_entry(entries)
    return latest if latest is not None and latest.event is Event.STARTED else None


def median_deploy_seconds(entries: Iterable[LedgerEntry]) -> float | None:
    """Return the median duration of the last successful deployments in seconds, or None."""
    return recent_median(entry.took for entry in entries if entry.event is Event.DEPLOYED) or None


def serving_entry(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry of a successful deployment or verification, or None."""
    return next((entry for entry in entries if entry.event in {Event.DEPLOYED, Event.VERIFIED}), None)


def verifications(entries: Sequence[LedgerEntry]) -> tuple[Verification, ...]:
    """Return what the entries of an environment say about each release that was verified, last verified first."""
    by_digest: dict[str, Verification] = {}
    given_up = {entry.digest: entry for entry in entries if entry.event is Event.WITHDRAWN}
    for entry, withdrawn_digest in with_withdrawn_digests(entries):
        if entry.event is Event.VERIFIED:
            by_digest.pop(entry.digest, None)  # to the end: the order is that of the newest verifications
            by_digest[entry.digest] = Verification(entry=entry, withdrawal=given_up.get(entry.digest))
        elif (verification := by_digest.get(withdrawn_digest)) and not verification.withdrawal:
            by_digest[withdrawn_digest] = evolve(verification, withdrawal=entry)
    return tuple(reversed(by_digest.values()))


def find_failure(entries: Sequence[LedgerEntry], *, digest: str = "", name: str = "") -> Verification | None:
    """Return what is said about the failure of a release that was never verified; None if it has not failed.

    Args:
        entries: newest first.
        digest: digest of the release's image.
        name: the release's name, if the digest is unknown.
    """
    own_entries = (entry for entry in entries if entry.event.concerns_deployment or entry.event is Event.WITHDRAWN)
    is_own = (lambda entry: entry.digest == digest) if digest else (lambda entry: entry.version == name)
    deployment = next(filter(is_own, own_entries), None)
    if deployment is None:
        return None
    withdrawals = [entry for entry, withdrawn in with_withdrawn_digests(entries) if withdrawn == deployment.digest]
    withdrawal = find_withdrawal(entries, deployment.digest) or (withdrawals[-1] if withdrawals else None)
    return Verification(entry=deployment, withdrawal=withdrawal) if withdrawal else None


def find_standing_failure(entries: Sequence[LedgerEntry], name: str) -> LedgerEntry | None:
    """Return the entry by which a release failed or was rolled back; None if not, or if it was tried again since.

    A command before its deployment that failed is such an entry too.

    Args:
        entries: newest first.
        name: the release's name.
    """
    own_entries = [entry for entry in entries if entry.version == name]
    digests = {item.digest for item in own_entries if item.event.concerns_deployment or item.event.concerns_command}
    digests.discard("")
    failure = None
    for entry, withdrawn_digest in with_withdrawn_digests(entries):
        is_own = entry.digest in digests
        if withdrawn_digest in digests or (is_own and entry.event is Event.COMMAND_FAILED):
            failure = entry
        elif is_own and entry.event in {Event.COMMAND_STARTED, Event.STARTED, Event.DEPLOYED, Event.VERIFIED}:
            failure = None
    return failure


def with_withdrawn_digests(entries: Sequence[LedgerEntry]) -> Iterator[tuple[LedgerEntry, str]]:
    """Yield each entry, oldest first, with the digest of the release that it withdraws, or an empty text.

    An entry `rollback` names the release that comes back. The one that is withdrawn is the release that was being
    deployed or serving then.
    """
    serving = deploying = ""
    for entry in reversed(entries):
        withdrawn_digest = ""
        if entry.event is Event.STARTED:
            deploying = entry.digest
        elif entry.event is Event.ROLLBACK:
            withdrawn_digest = deploying or serving
        elif entry.event.concerns_deployment:
            deploying = ""
            serving = entry.digest if entry.event in {Event.DEPLOYED, Event.VERIFIED} else serving
            withdrawn_digest = entry.digest if entry.event is Event.FAILED else ""
        is_own_return = entry.event is Event.ROLLBACK and withdrawn_digest == entry.digest
        yield entry, "" if is_own_return else withdrawn_digest


def rollback_candidates(entries: Sequence[LedgerEntry], *, excluded_digest: str) -> tuple[LedgerEntry, ...]:
    """Return the entry of the newest verification of every release but one, newest first; none that was withdrawn.

    Args:
        entries: newest first.
        excluded_digest: digest of the release to roll back from, which is left out.
    """
    return tuple(
        verification.entry
        for verification in verifications(entries)
        if not verification.withdrawal and verification.entry.digest != excluded_digest
    )


def release_to_leave(entries: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry of the release that a rollback leaves: the one being deployed, else the serving one, or None."""
    return open_deployment(entries) or serving_entry(entries)


def open_rollback(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry of the last rollback; None when there is none, or when another release was deployed since.

    A rollback may abandon another deployment, so `abandoned` entries do not count as another release, nor do commands.
    """
    digests: set[str] = set()
    for entry in entries:
        is_other = entry.event.concerns_migration or entry.event.concerns_command
        if entry.event not in {Event.ABANDONED, Event.UNKNOWN} and not is_other:
            digests.add(entry.digest)
        if len(digests) > 1:
            return None
        if entry.event is Event.ROLLBACK:
            return entry
    return None


def failure_before_rollback(entries: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Return the failure that the last rollback has answered; None when another release was deployed since."""
    rollback = open_rollback(entries)
    if rollback is None:
        return None
    before = latest_deployment_entry(entries[entries.index(rollback) + 1 :])
    return before if before and before.event is Event.FAILED and before.digest != rollback.digest else None


def last_entry_for_config(entries: Sequence[LedgerEntry], config_version: str) -> LedgerEntry | None:
    """Return the newest entry that shows a version of the runtime configuration in use, else that version's newest.

    A deployment reads the current configuration at its start, so a deployment after that entry uses the version.
    """
    for position, entry in enumerate(entries):
        if entry.configuration == config_version:
            return serving_entry(entries[: position + 1]) or entry
    return None


def last_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the newest entry about a written or restored runtime configuration, or None."""
    return next((entry for entry in entries if entry.event in {Event.CONFIGURED, Event.RESTORED}), None)


def unverified_config_change(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry of the last configuration change; None when the app was verified since."""
    return last_config_change(itertools.takewhile(lambda entry: entry.event is not Event.VERIFIED, entries))
