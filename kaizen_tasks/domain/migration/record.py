"""What the ledger knows of the migration of an environment: which two services there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.environment import DEFAULT_CLUSTER
from kaizen_tasks.domain.ledger import MIGRATION_EVENTS, Event, LedgerEntry, of_events
from kaizen_tasks.domain.platform import PLATFORMS

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment


@frozen(kw_only=True)
class Migration:
    """A migration that is under way: an environment has a service on each of two platforms.

    Attributes:
        old_id: identifier of the old service, on App Runner.
        new_id: identifier of the new service.
        platform: the platform of the new service.
        url: the address of the new service, empty if it is not known yet.
        digest: digest of the image that the new service was given last.
        version: the release of that image.
        since: when it began.
        actor: who began it.
        is_retired: whether the old service was paused for good.
    """

    old_id: str
    new_id: str
    platform: str
    url: str
    digest: str
    version: str
    since: datetime
    actor: str
    is_retired: bool = False

    @property
    def title(self) -> str:
        """The title of the new platform."""
        return PLATFORMS[self.platform].title if self.platform in PLATFORMS else self.platform

    @property
    def old_service(self) -> str:
        """The name of the old service: `arn:…:service/NAME/ID`."""
        return self.old_id.split("/")[1] if "/" in self.old_id else self.old_id

    @property
    def new_service(self) -> str:
        """The name of the new service: `arn:…:service/CLUSTER/NAME`."""
        return self.new_id.rpartition("/")[2]

    def has_moved(self, environment: Environment) -> bool:
        """Return whether the configuration names the new service."""
        return environment.platform == self.platform

    def old_environment(self, environment: Environment) -> Environment:
        """Return the environment as it is, or was, configured for the old service."""
        if not self.has_moved(environment):
            return environment
        return evolve(environment, platform="apprunner", service=self.old_service, cluster=DEFAULT_CLUSTER)

    def new_environment(self, environment: Environment) -> Environment:
        """Return the environment as it is, or will be, configured for the new service."""
        if self.has_moved(environment):
            return environment
        *_, cluster, service = self.new_id.split("/")
        return evolve(environment, platform=self.platform, cluster=cluster, service=service, container="")


def find_migration(entries: Iterable[LedgerEntry]) -> Migration | None:
    """Return the migration that is under way; None without one, or after it was finished or given up.

    Args:
        entries: the environment's entries, newest first.
    """
    begun: list[LedgerEntry] = []
    is_retired = False
    for entry in of_events(entries, MIGRATION_EVENTS):
        if entry.event in {Event.MIGRATED, Event.UNMIGRATED}:
            break
        is_retired = is_retired or (entry.event is Event.RETIRED and not begun)
        if entry.event is Event.MIGRATING:
            begun.append(entry)
    if not begun:
        return None
    newest, oldest = begun[0], begun[-1]
    return Migration(
        old_id=newest.replaces,
        new_id=newest.operation,
        platform=newest.platform,
        url=newest.url,
        digest=newest.digest,
        version=newest.version,
        since=oldest.at,
        actor=oldest.actor,
        is_retired=is_retired,
    )


def left_platform(entries: Iterable[LedgerEntry], environment: Environment) -> str:
    """Return the title of the platform to which an environment has moved, if its configuration names the old service.

    Empty otherwise, and as long as the old service is neither paused nor deleted.
    """
    newest = next(iter(of_events(entries, MIGRATION_EVENTS)), None)
    if newest is None or newest.event not in {Event.RETIRED, Event.MIGRATED} or newest.platform not in PLATFORMS:
        return ""
    return "" if environment.platform == newest.platform else PLATFORMS[newest.platform].title


def has_ended_with(entries: Iterable[LedgerEntry], event: Event) -> bool:
    """Return whether the last migration of an environment has ended with `migrated`, or with `unmigrated`."""
    return next((entry.event for entry in of_events(entries, MIGRATION_EVENTS)), None) is event
