"""Constructs the toolbox: every port with its real adapter."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from kaizen_tasks.domain.build import stand_in

if TYPE_CHECKING:
    from invoke.config import Config

    from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
    from kaizen_tasks.adapters.aws.provision import Provisioner
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.adapters.host.ci_run import CiRun
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.cloud import AccountAdmin, Identity
    from kaizen_tasks.ports.forge import Forge
    from kaizen_tasks.ports.host import Host, Network
    from kaizen_tasks.ports.images import Builder
    from kaizen_tasks.ports.messenger import Messenger
    from kaizen_tasks.ports.outbox import Outbox
    from kaizen_tasks.ports.platform import Prober
    from kaizen_tasks.ports.reporter import Reporter
    from kaizen_tasks.ports.run_report import RunReport
    from kaizen_tasks.ports.scm import ReleaseFiles, Scm
    from kaizen_tasks.ports.state import Holds, Ledger, Locks
    from kaizen_tasks.wiring.credentials import AwsClients
    from kaizen_tasks.wiring.targets import AccountPorts, TargetPorts, Targets


class Toolbox:
    """Every port with its real adapter, created when it is first used.

    Args:
        settings: the validated configuration.
        dry: whether this is a dry run, which must not write files.
        draft: whether edited files stay in memory until they are committed, as in flows.
        stream: where the reporter writes.
    """

    def __init__(self, settings: Settings, *, dry: bool, draft: bool, stream: TextIO) -> None:
        self.settings = settings
        self.dry = dry
        self._draft = draft or dry
        self._stream = stream
        self._cached_ledger: Ledger | None = None
        self._news = threading.Event()  # set when a notification was written

    @cached_property
    def actor(self) -> str:
        """Who runs this: the person whom the CI service or the role's session names, else this machine's user.

        A runner's user is nobody: in CI the name of the IAM user or of the service says more.
        """
        from kaizen_tasks.domain.aws_account import iam_user, person_in_session

        if self._ci_run.actor:
            return self._ci_run.actor
        principal = self._clients.caller().principal()
        in_ci = (iam_user(principal) or self._ci_run.service) if self._ci_run.service else ""
        return person_in_session(principal) or in_ci or user_at_host()

    @property
    def run_url(self) -> str:
        return self._ci_run.url

    @cached_property
    def _ci_run(self) -> CiRun:
        from kaizen_tasks.adapters.host.ci_run import find_ci_run

        return find_ci_run(os.environ)

    @cached_property
    def release_files(self) -> ReleaseFiles:
        from kaizen_tasks.adapters.host.atomic_write import OverlayFiles, WorkingTree

        tree = WorkingTree(self.settings.root)
        return OverlayFiles(tree) if self._draft else tree

    @cached_property
    def scm(self) -> Scm:
        from kaizen_tasks.adapters.console.terminal import is_interactive
        from kaizen_tasks.adapters.git.scm import GitScm

        rules = self.settings.release
        return GitScm(
            self.settings.root,
            remote=rules.remote,
            tag=rules.tag,
            sign=self.settings.tag.sign,
            atomic=rules.atomic,
            shows_progress=is_interactive(self._stream),
        )

    @cached_property
    def builder(self) -> Builder:
        """The configured engine, or the first one that works."""
        from kaizen_tasks.adapters.build.select import select_builder

        settings = self.settings
        if settings.build.engine == stand_in.STAND_IN:
            return self._stand_in_builder()
        return select_builder(settings.build, root=settings.root, store=image_cache())

    def _stand_in_builder(self) -> Builder:
        from kaizen_tasks.adapters.build.stand_in import StandInBuilder

        settings = self.settings
        labels = stand_in.labels(settings.verify.path, settings.version_format, settings.smoke)
        return StandInBuilder(labels=labels, platform=settings.build.platform, store=image_cache())

    @cached_property
    def _targets(self) -> Targets:
        from kaizen_tasks.wiring.targets import AccountPorts, Targets

        create = partial(
            AccountPorts,
            clients=self._clients.at,
            settings=self.settings,
            clock=self.clock,
            ledger=lambda: self.ledger_table,
        )
        return Targets(create)

    @cached_property
    def _clients(self) -> AwsClients:
        from kaizen_tasks.domain.aws_account import role_session_name
        from kaizen_tasks.wiring.credentials import AwsClients

        settings = self.settings
        return AwsClients(
            settings.aws.target,
            settings.environments,
            session_name=lambda: role_session_name(self.actor, settings.app),
        )

    def at(self, environment: Environment) -> TargetPorts:
        """Return the ports of an environment."""
        return self._targets.at(environment)

    @cached_property
    def _home(self) -> AccountPorts:
        """The ports of the account and region of `[aws]`."""
        return self._targets.account_ports(self.settings.aws.target)

    @property
    def _aws(self) -> Aws:
        return self._home.aws

    @property
    def identity(self) -> Identity:
        return self._aws

    def provisioner_at(self, environment: Environment) -> Provisioner:
        """Return what creates the resources of an environment in a local cloud."""
        return self._targets.account_ports(environment.target).provisioner

    @property
    def ledger(self) -> Ledger:
        """The ledger; inside `caching_ledger`, the cached one."""
        return self._cached_ledger or self.ledger_table

    @contextmanager
    def caching_ledger(self, environments: Iterable[str], *, first_limit: int | None = None) -> Iterator[None]:
        """Cache the ledger of environments while the context lasts; their locks must be held all the time."""
        from kaizen_tasks.flows.ledger.cached import CachedLedger

        self._cached_ledger = CachedLedger(self.ledger_table, frozenset(environments), first_limit)
        try:
            yield
        finally:
            self._cached_ledger = None

    @cached_property
    def ledger_table(self) -> DynamoLedger:
        from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger

        names = self.settings.former_names
        return DynamoLedger(self._aws, app=self.settings.app, clock=self.clock, former_names=names, news=self._news)

    @cached_property
    def locks(self) -> Locks:
        """Locks in the ledger's table; environment variables pass them on to child processes."""
        from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks

        return DynamoLocks(
            self._aws, app=self.settings.app, environ=os.environ, former_names=self.settings.former_names
        )

    @cached_property
    def holds(self) -> Holds:
        from kaizen_tasks.adapters.aws.dynamodb.holds import DynamoHolds

        names = self.settings.former_names
        return DynamoHolds(self._aws, app=self.settings.app, clock=self.clock, former_names=names, news=self._news)

    @cached_property
    def outbox(self) -> Outbox:
        from kaizen_tasks.adapters.aws.dynamodb.outbox import DynamoOutbox

        return DynamoOutbox(self._aws, app=self.settings.app, news=self._news)

    @property
    def account(self) -> AccountAdmin:
        return self._home.account

    @cached_property
    def host(self) -> Host:
        from kaizen_tasks.adapters.build.select import examine_engine
        from kaizen_tasks.adapters.host.local_host import LocalHost

        return LocalHost(partial(examine_engine, self.settings.build, self.settings.root))

    @cached_property
    def prober(self) -> Prober:
        from kaizen_tasks.adapters.http.prober import HttpProber

        return HttpProber(self._aws.network)

    @property
    def network(self) -> Network:
        return self._aws.network

    @cached_property
    def forge(self) -> Forge:
        """The server of the remote, if its kind is known and a variable holds a token for it."""
        from kaizen_tasks.adapters.forge.select import select_forge
        from kaizen_tasks.adapters.http.prober import HttpProber

        prober = self.prober if self.settings.pipeline else HttpProber()  # a library has no AWS profile
        kind, url = self.settings.release.forge, self.scm.web_url()
        return select_forge(url, kind=kind, environ=os.environ, prober=prober, clock=self.clock)

    @cached_property
    def run_report(self) -> RunReport:
        """What shows this run on the pages of the forge and of its CI job, if there are any."""
        from kaizen_tasks.wiring.run_report import select_run_report

        return select_run_report(self, os.environ)

    @cached_property
    def messenger(self) -> Messenger:
        """Sends messages to the targets of `[[notify]]`, with secrets of the home account; not from a local cloud."""
        from kaizen_tasks.adapters.aws.endpoint import is_local_cloud
        from kaizen_tasks.adapters.notify.messenger import TargetMessenger
        from kaizen_tasks.adapters.notify.rehearsal import RehearsalMessenger

        is_local = is_local_cloud()
        network, secrets = (lambda: self._aws.network), (lambda: self._home.secrets)
        messenger = TargetMessenger(secrets, network=network, clock=self.clock, is_local=is_local)
        return RehearsalMessenger(messenger, self.reporter.note) if is_local else messenger

    @cached_property
    def clock(self) -> Clock:
        """The time by the clock of AWS once that is known: other machines write times too, and their clocks differ."""
        from kaizen_tasks.adapters.host.clock import SystemClock

        return SystemClock(
            offset=self._clock_offset,
            timezone=self.settings.release.timezone,
            source_date_epoch=os.environ.get("SOURCE_DATE_EPOCH", ""),
        )

    def _clock_offset(self) -> timedelta:
        home: AccountPorts | None = self.__dict__.get("_home")  # what needs no AWS must not load it
        return home.aws.clock_offset() if home else timedelta(0)

    @cached_property
    def reporter(self) -> Reporter:
        """A live display on a terminal, else plain lines."""
        from kaizen_tasks.adapters.console.reporter import create_reporter

        environments = self.settings.environments
        return create_reporter(
            self._stream,
            dry=self.dry,
            clock=self.clock,
            environments=environments,
            has_heartbeat=True,
            app=self.settings.app,
        )


def toolbox(config: Config, *, draft: bool = False, stream: TextIO | None = None) -> Toolbox:
    """Return the toolbox for the configuration, with Invoke's overrides.

    Args:
        config: the configuration of an Invoke context, all layers merged.
        draft: see `Toolbox`.
        stream: see `Toolbox`; None for stdout.

    Raises:
        ConfigurationError: with every problem.
    """
    from kaizen_tasks.config import load, validate

    settings = validate.build_settings(load.find_config_file(), {key: _unwrap(value) for key, value in config.items()})
    return Toolbox(settings, dry=bool(config["run"]["dry"]), draft=draft, stream=stream or sys.stdout)


def _unwrap(value: Any) -> Any:
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return {key: _unwrap(item) for key, item in value.items()}
    return value


def user_at_host() -> str:
    """Return who runs this process, and where; containers run users without a name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def image_cache() -> Path:
    """Return the folder for images that are built without an engine; it may be deleted at any time."""
    from kaizen_tasks.adapters.host.user_folders import cache_folder

    return cache_folder() / "images"
