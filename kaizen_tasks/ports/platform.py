"""The ports of the running app: the platform that runs it, its logs, and HTTP requests to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
    from kaizen_tasks.domain.service import Operation, Service


class Platform(Protocol):
    """The platform that runs the services."""

    def get_service(self, name: str) -> Service:
        """Return the current state of a service.

        Raises:
            NotFound: there is no such service.
        """

    def service_urls(self) -> Mapping[str, str]:
        """Return the URL that the platform assigned to each service, by name, in as few requests as possible."""

    @mutates("a deployment was started")
    def start_deployment(self, service: Service) -> str:
        """Start a deployment of the image that the service follows, and return the operation's identifier.

        Return an empty string, and start nothing, when the service is busy with another operation.

        Raises:
            Undeployable: the service is in a state in which it cannot be deployed.
            NotFound: the service no longer exists.
        """

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the newest operations, newest first.

        Raises:
            NotFound: the service no longer exists.
        """


class Logs(Protocol):
    """The logs of a deployment and of the app. A log that does not exist is empty."""

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        """Return the last lines of the platform's log of a deployment, oldest first.

        Args:
            service: the service that was deployed.
            operation: the platform's identifier of the deployment.
            limit: maximum number of lines.

        Raises:
            KaizenError: the logs cannot be read.
        """

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the last lines that the newest instance of the app printed, oldest first.

        Args:
            service: the service of the app.
            since: instances that were started before this time are ignored.
            limit: maximum number of lines.

        Raises:
            KaizenError: the logs cannot be read.
        """


class Prober(Protocol):
    """Sends requests to the running app, each over a new connection."""

    def probe(self, url: str, *, timeout: float, max_bytes: int, request: ProbeRequest | None = None) -> ProbeResponse:
        """Send a request and return the response; redirects are not followed. A failure is a response with an `error`.

        Args:
            url: the request's URL.
            timeout: seconds for the whole request.
            max_bytes: maximum bytes of the body.
            request: method, headers and body; None sends a plain GET.
        """
