"""The services of one account in one region: its registry, App Runner, ECS, ECR and logs, on one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.apprunner.apprunner_api import AppRunner
from kaizen_tasks.localcloud.clock import MonotonicClock
from kaizen_tasks.localcloud.ecr.ecr_api import Ecr
from kaizen_tasks.localcloud.ecs.ecs_api import Ecs
from kaizen_tasks.localcloud.instances.launcher import EngineChoice
from kaizen_tasks.localcloud.logs.files import LogStore
from kaizen_tasks.localcloud.logs.groups import LogGroups
from kaizen_tasks.localcloud.logs.logs_api import CloudWatch
from kaizen_tasks.localcloud.registry.distribution_api import DistributionApi
from kaizen_tasks.localcloud.registry.store import ImageStore
from kaizen_tasks.localcloud.server.auth import Tokens
from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint
from kaizen_tasks.localcloud.services.alarm_states import AlarmStates
from kaizen_tasks.localcloud.services.secret_values import SecretResolver

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.location import Location
    from kaizen_tasks.localcloud.moto.backend import MotoBackend


OWN_SERVICES = frozenset({"apprunner", "ecr", "ecs", "logs"})
"""Signing names of the services that each account and region has of its own; moto has all others."""


@attrs.frozen(kw_only=True)
class CloudOptions:
    """What all accounts and regions of a cloud have in common.

    Args:
        engine: how instances run.
        deploy_seconds: minimum duration of a deployment.
        notice_seconds: delay of automatic deployments after a tag has moved.
        now: returns seconds since the epoch, by which passwords and sessions expire.
    """

    engine: EngineChoice
    deploy_seconds: float
    notice_seconds: float
    now: Callable[[], float]


@attrs.frozen(kw_only=True)
class Surroundings:
    """What the services of an account in a region know of the cloud.

    Args:
        open_relay: lets containers reach the cloud at an address of this machine, and returns the port.
        find_guest: returns the account of a login that a registry of another account has issued, or an empty string.
        is_foreign_registry: returns whether a host and port is a registry of another account or region.
    """

    open_relay: Callable[[str], int]
    find_guest: Callable[[str], str]
    is_foreign_registry: Callable[[str], bool]


class LocationServices:
    """The services of one account in one region.

    Args:
        location: the account and region.
        folder: keeps their state.
        registry_host: host and port of the registry.
        moto: the account's services that moto simulates.
        instance_variables: variables with which the SDKs of apps find the cloud, and act for their account.
        surroundings: what the services know of the cloud.
        options: options of the cloud.

    Attributes:
        location: as given.
        registry: the registry's distribution API.
        tokens: the passwords of the registry.
        endpoints: the APIs, by signing name.

    Raises:
        Refused: a file of the folder is damaged.
    """

    def __init__(
        self,
        *,
        location: Location,
        folder: Path,
        registry_host: str,
        moto: MotoBackend,
        instance_variables: Mapping[str, str],
        surroundings: Surroundings,
        options: CloudOptions,
    ) -> None:
        self.location = location
        of_location = attrs.asdict(location)
        store = ImageStore(folder / "registry")
        self.tokens = Tokens(folder / "secret", clock=options.now)
        self.registry = DistributionApi(
            store=store, tokens=self.tokens, endpoint=f"http://{registry_host}", find_guest=surroundings.find_guest
        )
        clock, resolve_secret = MonotonicClock(), SecretResolver(moto, location.region).resolve
        apprunner_logs, log_groups = LogStore(folder / "apprunner" / "logs"), LogGroups(folder / "logs")
        self._apprunner = AppRunner(
            state=folder / "apprunner",
            store=store,
            engine=options.engine,
            deploy_seconds=options.deploy_seconds,
            notice_seconds=options.notice_seconds,
            registry=registry_host,
            issue_password=self.tokens.issue,
            resolve_secret=resolve_secret,
            instance_variables=instance_variables,
            open_relay=surroundings.open_relay,
            is_foreign_registry=surroundings.is_foreign_registry,
            clock=clock,
            **of_location,
        )
        self._ecs = Ecs(
            state=folder / "ecs",
            store=store,
            engine=options.engine,
            deploy_seconds=options.deploy_seconds,
            registry=registry_host,
            issue_password=self.tokens.issue,
            resolve_secret=resolve_secret,
            triggered_alarms=AlarmStates(moto, location.region).triggered,
            instance_variables=instance_variables,
            open_relay=surroundings.open_relay,
            is_foreign_registry=surroundings.is_foreign_registry,
            log_groups=log_groups,
            clock=clock,
            **of_location,
        )
        ecr = Ecr(store=store, tokens=self.tokens, registry=registry_host, **of_location)
        logs = CloudWatch(apprunner=apprunner_logs, groups=log_groups, **of_location)
        services = (ecr, self._apprunner, self._ecs, logs)
        self.endpoints = {service.name: AwsJsonEndpoint(service=service) for service in services}

    def close(self) -> None:
        """Stop every instance and free every port."""
        self._apprunner.close()
        self._ecs.close()
