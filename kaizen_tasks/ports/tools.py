"""All ports together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.cloud import AccountAdmin, Identity
    from kaizen_tasks.ports.commands import Commands
    from kaizen_tasks.ports.forge import Forge
    from kaizen_tasks.ports.host import Host, Network
    from kaizen_tasks.ports.images import Builder, Registry
    from kaizen_tasks.ports.messenger import Messenger
    from kaizen_tasks.ports.migration import MigrationSource, MigrationTarget
    from kaizen_tasks.ports.outbox import Outbox
    from kaizen_tasks.ports.platform import Logs, Platform, Prober
    from kaizen_tasks.ports.reporter import Reporter
    from kaizen_tasks.ports.run_report import RunReport
    from kaizen_tasks.ports.scm import ReleaseFiles, Scm
    from kaizen_tasks.ports.secrets import Secrets
    from kaizen_tasks.ports.state import Holds, Ledger, Locks


class Target(Protocol):
    """What an environment has in its account and region, reached with its credentials: image, service, secret."""

    @property
    def identity(self) -> Identity: ...
    @property
    def account(self) -> AccountAdmin: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def platform(self) -> Platform: ...
    @property
    def logs(self) -> Logs: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def migration_source(self) -> MigrationSource: ...
    @property
    def migration_target(self) -> MigrationTarget: ...


class Tools(Protocol):
    """The toolbox of a step: the configuration, and all ports.

    What has no environment is that of the home, the account of `[aws]`: ledger, locks, holds, its credentials.
    """

    def at(self, environment: Environment) -> Target:
        """Return the ports of an environment. Those of environments with the same target and platform are the same."""

    @property
    def settings(self) -> Settings: ...
    @property
    def actor(self) -> str: ...
    @property
    def run_url(self) -> str: ...
    @property
    def release_files(self) -> ReleaseFiles: ...
    @property
    def scm(self) -> Scm: ...
    @property
    def builder(self) -> Builder: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def locks(self) -> Locks: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def account(self) -> AccountAdmin: ...
    @property
    def host(self) -> Host: ...
    @property
    def prober(self) -> Prober: ...
    @property
    def network(self) -> Network: ...
    @property
    def forge(self) -> Forge: ...
    @property
    def messenger(self) -> Messenger: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def reporter(self) -> Reporter: ...
    @property
    def run_report(self) -> RunReport: ...


class CommandTools(Tools, Protocol):
    """The tools of a whole command, which may be a dry run."""

    @property
    def dry(self) -> bool:
        """Whether this is a dry run, which changes nothing."""

    def caching_ledger(
        self, environments: Iterable[str], *, first_limit: int | None = None
    ) -> AbstractContextManager[None]:
        """Read the ledger of each environment only once while the context lasts, if no more than at first is needed."""
