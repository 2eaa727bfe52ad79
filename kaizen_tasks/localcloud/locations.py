"""The accounts and regions of a cloud, each created when it is first used."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.iam.roles import open_role
from kaizen_tasks.localcloud.location import ACCOUNT_PATTERN, Location
from kaizen_tasks.localcloud.location_services import CloudOptions, LocationServices, Surroundings
from kaizen_tasks.localcloud.moto.backend import MotoBackend
from kaizen_tasks.localcloud.server.auth import LoginStatus
from kaizen_tasks.localcloud.server.server import LOOPBACK
from kaizen_tasks.localcloud.services.relays import Relays
from kaizen_tasks.localcloud.signing.sessions import Sessions, role_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.iam.roles import Role
    from kaizen_tasks.localcloud.server.server import HttpServer

ACCOUNTS_FOLDER = "accounts"
"""Folder of the accounts and regions other than the home, as `ACCOUNT/REGION`, below the state folder."""

JOURNAL = "elsewhere.jsonl"
_INSTANCE_ROLE = "instance"


def location_folders(state: Path) -> Iterator[tuple[Location | None, Path]]:
    """Yield the folder of the home, with None, and of each other account and region that has one."""
    yield None, state
    for folder in sorted((state / ACCOUNTS_FOLDER).glob("*/*/")):
        if ACCOUNT_PATTERN.fullmatch(folder.parent.name):
            yield Location(account=folder.parent.name, region=folder.name), folder


class Locations:
    """The services of all accounts and regions.

    Args:
        state: the state folder.
        home: the account and region of the cloud's own credentials.
        home_port: port of the cloud, and of the home's registry.
        home_variables: variables with which the SDKs of the home's apps find the cloud.
        sessions: issues the credentials of apps in other accounts.
        open_registry: listens for a registry on a port that a file remembers.
        options: options of the cloud.

    Raises:
        Refused: a file of the state folder is damaged.
    """

    def __init__(
        self,
        *,
        state: Path,
        home: Location,
        home_port: int,
        home_variables: Mapping[str, str],
        sessions: Sessions,
        open_registry: Callable[[Path], HttpServer],
        options: CloudOptions,
    ) -> None:
        self.home = home
        self._state = state
        self._home_port = home_port
        self._home_variables = home_variables
        self._sessions = sessions
        self._open_registry = open_registry
        self._options = options
        self._relays = Relays(f"{LOOPBACK}:{home_port}")
        self._lock = threading.RLock()
        self._moto_lock = threading.Lock()
        self._moto_backends: dict[str, MotoBackend] = {}
        self._services: dict[Location, LocationServices] = {}
        self._by_port: dict[int, LocationServices] = {}
        self._servers: list[HttpServer] = []
        self.moto(home.account)
        self._add(home, state, home_port)

    def restore(self) -> None:
        """Start the services of the accounts and regions that have been used before.

        Raises:
            Refused: a file of the state folder is damaged.
        """
        for location, _ in location_folders(self._state):
            if location is not None:
                self.find(location)

    def find(self, location: Location) -> LocationServices:
        """Return the services of an account in a region, which are created if they have not been used before."""
        if services := self._services.get(location):
            return services
        with self._lock:
            if services := self._services.get(location):
                return services
            folder = self._make_folder(location.account, location.region)
            server = self._open_registry(folder / "port")
            self._servers.append(server)
            return self._add(location, folder, server.port)

    def at_port(self, port: int) -> LocationServices:
        """Return the account and region whose registry is on a port."""
        return self._by_port[port]

    def moto(self, account: str) -> MotoBackend:
        """Return the services of an account that moto simulates."""
        if backend := self._moto_backends.get(account):
            return backend
        with self._lock:
            if account not in self._moto_backends:
                folder = self._state if account == self.home.account else self._make_folder(account)
                backend = MotoBackend(
                    account=account,
                    endpoint=f"{LOOPBACK}:{self._home_port}",
                    journal=folder / JOURNAL,
                    lock=self._moto_lock,
                )
                backend.restore()
                self._moto_backends[account] = backend
            return self._moto_backends[account]

    def find_role(self, account: str, name: str) -> Role | None:
        """Return a role that was created, or None."""
        return self.moto(account).find_role(name)

    def close(self) -> None:
        """Stop every instance and free every port but the cloud's own."""
        for server in self._servers:
            server.close()
        for services in self._services.values():
            services.close()
        self._relays.close()

    def _add(self, location: Location, folder: Path, port: int) -> LocationServices:
        services = LocationServices(
            location=location,
            folder=folder,
            registry_host=f"{LOOPBACK}:{port}",
            moto=self.moto(location.account),
            instance_variables=self._instance_variables(location),
            surroundings=Surroundings(
                open_relay=self._relays.open,
                find_guest=functools.partial(self._find_guest, location),
                is_foreign_registry=functools.partial(self._is_foreign_registry, location),
            ),
            options=self._options,
        )
        self._by_port[port] = self._services[location] = services
        return services

    def _find_guest(self, host: Location, authorization: str) -> str:
        """Return the account that a login belongs to which is not of an account's own registry, or an empty string.

        As in AWS, a password of a region is good in the same region of any account, whose policies decide.
        """
        for location, services in tuple(self._services.items()):
            is_guest = location.region == host.region and location != host
            if is_guest and services.tokens.check_login(authorization) is LoginStatus.VALID:
                return location.account
        return ""

    def _is_foreign_registry(self, own: Location, host: str) -> bool:
        """Return whether a registry of another account or region is at a host and port."""
        port = host.removeprefix(f"{LOOPBACK}:")
        services = self._by_port.get(int(port)) if port.isdecimal() else None
        return services is not None and services.location != own

    def _instance_variables(self, location: Location) -> Mapping[str, str]:
        """Return the variables of apps; those outside the home act for their account."""
        regions = {"AWS_REGION": location.region, "AWS_DEFAULT_REGION": location.region}
        if location.account == self.home.account:
            return {**self._home_variables, **regions}
        role = open_role(location.account, _INSTANCE_ROLE)
        session = role_session(location.account, role.name, "app", role.id)
        return {**self._home_variables, **regions, **self._sessions.issue(session, None).variables}

    def _make_folder(self, *names: str) -> Path:
        """Create a folder below the state folder, but not that one: it may have been deleted."""
        folder = self._state / ACCOUNTS_FOLDER
        folder.mkdir(exist_ok=True)
        for name in names:
            folder /= name
            folder.mkdir(exist_ok=True)
        return folder
