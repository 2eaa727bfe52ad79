"""The ports of a migration from one platform to another: what only `migrate` reads and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.migration.definition import ServiceDefinition
    from kaizen_tasks.domain.migration.source import SourceService
    from kaizen_tasks.domain.service import Service


class MigrationSource(Protocol):
    """The platform that an environment leaves."""

    def read_source(self, service: Service) -> SourceService:
        """Return a service with everything that matters to its successor.

        Raises:
            NotFound: there is no such service.
            Refused: the service is built from source code, so no image can be taken along.
        """

    @mutates("the old service is paused")
    def pause(self, service: Service) -> None:
        """Begin to pause a running service; it keeps its address and its settings.

        Raises:
            Refused: the service is not running.
        """

    @mutates("the old service is resumed")
    def resume(self, service: Service) -> None:
        """Begin to resume a paused service.

        Raises:
            Refused: the service is not paused.
        """

    @mutates("the old service is deleted")
    def delete_source(self, service: Service) -> None:
        """Begin to delete a paused service.

        Raises:
            Refused: the service is not paused.
        """


class MigrationTarget(Protocol):
    """The platform to which an environment moves."""

    def trusted_services(self, role: str) -> frozenset[str] | None:
        """Return the names of the AWS services that may assume a role; None if the credentials may not ask.

        Args:
            role: its ARN.

        Raises:
            NotFound: there is no such role.
        """

    def creation_tag(self, service: Service) -> str:
        """Return the value of the tag that services have which a migration has created; empty without one.

        Raises:
            NotFound: there is no such service.
        """

    @mutates("the new service is created")
    def create_service(self, definition: ServiceDefinition) -> None:
        """Begin to create a service; its first deployment is listed among its operations.

        Raises:
            Refused: the platform does not accept the definition, or there is such a service already.
        """

    @mutates("the new service is deleted")
    def delete_service(self, service: Service) -> None:
        """Begin to delete a service, with its tasks and what its platform manages for it.

        Raises:
            NotFound: there is no such service.
        """
