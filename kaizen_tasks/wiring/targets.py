"""Constructs the ports of accounts and platforms; those of environments in the same place are the same."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import evolve

from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.tools import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
    from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
    from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
    from kaizen_tasks.adapters.aws.provision import Provisioner
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.aws_target import AwsTarget
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.cloud import AccountAdmin, Identity
    from kaizen_tasks.ports.commands import Commands
    from kaizen_tasks.ports.images import Registry
    from kaizen_tasks.ports.migration import MigrationSource, MigrationTarget
    from kaizen_tasks.ports.platform import Logs, Platform
    from kaizen_tasks.ports.secrets import Secrets


Port = TypeVar("Port")


class created_once(Generic[Port]):  # noqa: N801 - a decorator, as `cached_property` is
    """A port that is created when it is first used, also if several threads use it first at the same moment.

    `functools.cached_property` would create one for each of these threads, from Python 3.12 on.
    """

    def __init__(self, create: Callable[[Any], Port]) -> None:
        self._create = create
        self.__doc__ = create.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, ports: Any, _owner: type | None = None) -> Port:
        with ports.lock:
            if self._name not in vars(ports):
                vars(ports)[self._name] = self._create(ports)  # which is found before this descriptor, from now on
        port: Port = vars(ports)[self._name]
        return port


class AccountPorts:
    """The ports of one account in one region, created when they are first used.

    Args:
        target: the account and the region.
        clients: returns the AWS clients of a target.
        settings: the whole configuration.
        clock: the toolbox's clock.
        ledger: returns the ledger, which is in the home account.
    """

    def __init__(
        self,
        target: AwsTarget,
        *,
        clients: Callable[[AwsTarget], Aws],
        settings: Settings,
        clock: Clock,
        ledger: Callable[[], DynamoLedger],
    ) -> None:
        self.lock = RLock()
        self._target = target
        self._clients = clients
        self._settings = settings
        self.clock = clock
        self._ledger = ledger

    @cached_property
    def aws(self) -> Aws:
        return self._clients(self._target)  # which has a lock, and returns the same ones to every thread

    @created_once
    def registry(self) -> Registry:
        from kaizen_tasks.adapters.aws.ecr import EcrRegistry
        from kaizen_tasks.adapters.host.user_folders import cache_folder
        from kaizen_tasks.adapters.oci.content_cache import ContentCache

        cache = None
        with suppress(Refused):  # where nothing can be written, configurations are read each time
            cache = ContentCache(cache_folder() / "configurations")
        return EcrRegistry(self.aws, clock=self.clock, cache=cache)

    @created_once
    def secrets(self) -> Secrets:
        from kaizen_tasks.adapters.aws.secretsmanager import SecretsManager

        return SecretsManager(self.aws)

    @created_once
    def account(self) -> AccountAdmin:
        from kaizen_tasks.adapters.aws.account_admin import AwsAccount
        from kaizen_tasks.adapters.host.clock import SystemClock

        settings = self._settings
        there = {name: each for name, each in settings.environments.items() if each.target == self._target}
        return AwsAccount(
            self.aws,
            settings=evolve(settings, environments=there),
            ledger=self._ledger(),
            platform=self.apprunner,
            clock=SystemClock(),  # its skew is measured
            is_home=self._target == settings.aws.target,
        )

    @created_once
    def apprunner(self) -> AppRunnerPlatform:
        from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform

        return AppRunnerPlatform(self.aws)

    @created_once
    def provisioner(self) -> Provisioner:
        """Creates repositories and services in a local cloud."""
        from kaizen_tasks.adapters.aws.provision import Provisioner

        return Provisioner(self.aws, region=self._target.region)


class TargetPorts(Target):
    """The ports of the environments in one place: account, region, platform and cluster.

    Args:
        account_ports: those of the account and region.
        environment: one of the environments.
    """

    def __init__(self, account_ports: AccountPorts, environment: Environment) -> None:
        self.lock = RLock()
        self._account_ports = account_ports
        self._environment = environment

    @property
    def identity(self) -> Identity:
        return self._account_ports.aws

    @property
    def account(self) -> AccountAdmin:
        return self._account_ports.account

    @property
    def registry(self) -> Registry:
        return self._account_ports.registry

    @property
    def secrets(self) -> Secrets:
        return self._account_ports.secrets

    @created_once
    def platform(self) -> Platform:
        """The adapter of the environment's platform, for its cluster and its container."""
        environment = self._environment
        if environment.platform == "ecs-express":
            from kaizen_tasks.adapters.aws.ecs.express.platform import ExpressPlatform

            return ExpressPlatform(self._cluster, container=environment.container)
        if environment.platform == "ecs":
            from kaizen_tasks.adapters.aws.ecs.fargate import FargatePlatform

            return FargatePlatform(self._cluster, container=environment.container)
        return self._account_ports.apprunner

    @created_once
    def logs(self) -> Logs:
        if self._environment.kind.has_cluster:
            from kaizen_tasks.adapters.aws.ecs.logs import EcsLogs

            return EcsLogs(self._cluster, container=self._environment.container)
        from kaizen_tasks.adapters.aws.cloudwatch import CloudWatchLogs

        return CloudWatchLogs(self._account_ports.aws)

    @created_once
    def commands(self) -> Commands:
        from kaizen_tasks.adapters.aws.ecs.commands import EcsCommands

        return EcsCommands(self._cluster, container=self._environment.container)

    @created_once
    def migration_source(self) -> MigrationSource:
        from kaizen_tasks.adapters.aws.migration.apprunner_source import AppRunnerSource

        return AppRunnerSource(self._account_ports.aws)

    @created_once
    def migration_target(self) -> MigrationTarget:
        from kaizen_tasks.adapters.aws.migration.ecs_target import EcsTarget

        return EcsTarget(self._cluster, is_express=self._environment.platform == "ecs-express")

    @property
    def _cluster(self) -> Cluster:
        from kaizen_tasks.adapters.aws.ecs.cluster import Cluster

        return Cluster(self._account_ports.aws, self._environment.cluster, self._account_ports.clock)


class Targets:
    """The ports of all accounts and places. Safe to use from several threads.

    Args:
        create: returns new ports of an account in a region.
    """

    def __init__(self, create: Callable[[AwsTarget], AccountPorts]) -> None:
        self._create = create
        self._lock = RLock()
        self._account_ports: dict[AwsTarget, AccountPorts] = {}
        self._target_ports: dict[object, TargetPorts] = {}

    def account_ports(self, target: AwsTarget) -> AccountPorts:
        """Return the ports of an account in a region."""
        with self._lock:
            if target not in self._account_ports:
                self._account_ports[target] = self._create(target)
            return self._account_ports[target]

    def at(self, environment: Environment) -> TargetPorts:
        """Return the ports of an environment."""
        with self._lock:
            if environment.location not in self._target_ports:
                account_ports = self.account_ports(environment.target)
                self._target_ports[environment.location] = TargetPorts(account_ports, environment)
            return self._target_ports[environment.location]
