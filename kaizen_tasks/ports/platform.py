"""The ports of the running app: the platform that runs it, its logs, and HTTP requests to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
    from kaizen_tasks.domain.log_line import LogLine
    from kaizen_tasks.domain.new_service import ServiceSettings
    from kaizen_tasks.domain.service import Operation, Service


class Platform(Protocol):
    """The platform that runs the services."""

    def get_service(self, name: str) -> Service:
        """Return the current state of a service.

        Raises:
            NotFound: there is no such service.
        """

    def service_url(self, name: str) -> str:
        """Return the URL that the platform assigned to a service, which it keeps; empty if it assigns none.

        The service is read only if this run has not read it yet.

        Raises:
            NotFound: there is no such service.
        """

    def service_urls(self) -> Mapping[str, str]:
        """Return the URL that the platform assigned to each service, by name, in as few requests as possible."""

    @mutates("a deployment was started")
    def start_deployment(self, service: Service, image: str) -> str:
        """Start a deployment, and return the operation's identifier.

        Return an empty string when the service is busy with another operation, and has started nothing, or when its
        answer was lost, so that a deployment may be found among the operations. A service that has the image already
        starts anew with it, and so reads its secrets again.

        Args:
            service: the service.
            image: reference of the image by its digest; a platform that follows a tag deploys what the tag names.

        Raises:
            Undeployable: the service is in a state in which it cannot be deployed.
            NotFound: the service no longer exists.
            KaizenError: the platform refuses, and `is_without_effect`; or else nobody knows whether it has started one.
        """

    @mutates("the deployment was stopped")
    def stop_deployment(self, service: Service, operation: str) -> None:
        """Stop a deployment in progress, so that what was serving before serves alone again.

        Raises:
            Unsupported: the platform cannot stop a deployment.
            Refused: the deployment is not in progress.
        """

    def read_settings(self, service: Service) -> ServiceSettings:
        """Return the settings of a service that another one can be created with.

        Raises:
            NotFound: there is no such service.
        """

    @mutates("the service is created", needs_lock=False)
    def create_service_like(self, neighbour: Service, name: str, *, image: str, settings: ServiceSettings) -> None:
        """Begin to create a service like another one; it is running when it has been created.

        Args:
            neighbour: the service whose size, health check, network and the like the new service gets.
            name: the new service's name.
            image: reference of the image that the new service deploys and follows.
            settings: what differs from the neighbour.

        Raises:
            Refused: the platform does not accept the settings, or there is such a service already.
        """

    @mutates("the service that could not be created is deleted", needs_lock=False)
    def delete_failed_service(self, service: Service) -> None:
        """Begin to delete a service that could not be created; when it is gone, its name is free.

        Raises:
            Refused: the service was created.
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

    def application_log(self, service: Service, *, since: datetime) -> Iterator[LogLine]:
        """Yield what all instances of the app have printed since a time, oldest first; pages are read as needed.

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
