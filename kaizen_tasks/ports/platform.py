"""What runs the app, and how the app itself is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
    from kaizen_tasks.domain.service import Operation, Service


class Platform(Protocol):
    """What runs the services."""

    def get_service(self, name: str) -> Service:
        """Return a service as it is now.

        Raises:
            NotFound: there is no such service.
        """
        ...

    def service_urls(self) -> Mapping[str, str]:
        """Return the own address of every service, with a scheme, by its name, with as few questions as can be."""
        ...

    @mutates("a deployment was started")
    def start_deployment(self, service: Service) -> str:
        """Start a deployment of the image that the service follows; return the operation's identifier.

        Returns an empty string when the service is busy with another operation and nothing was started.

        Raises:
            Undeployable: the service is in a state from which it cannot deploy.
            NotFound: there is no such service any more.
        """
        ...

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the newest operations, newest first.

        Raises:
            NotFound: there is no such service any more.
        """
        ...


class Logs(Protocol):
    """What has been written down while a service was deployed. What was never written is no error."""

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        """Return the last lines that the platform has written about a deployment, oldest first.

        Args:
            service: whose.
            operation: the platform's identifier of the deployment.
            limit: lines.

        Raises:
            KaizenError: the logs cannot be read.
        """
        ...

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the last lines that the newest instance of the app has printed, oldest first.

        Args:
            service: whose.
            since: only an instance that was started after this moment is meant.
            limit: lines.

        Raises:
            KaizenError: the logs cannot be read.
        """
        ...


class Prober(Protocol):
    """Asks the running app over a new connection each time."""

    def probe(self, url: str, *, timeout: float, max_bytes: int, request: ProbeRequest | None = None) -> ProbeResponse:
        """Ask an address, with a plain GET unless told otherwise; follow no redirect.

        At most `max_bytes` bytes are read, within `timeout` seconds. Every failure is an answer with a `fault`; nothing is
        raised.
        """
        ...
