"""What every Platform does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from attrs import evolve

from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation
    from kaizen_tasks.ports.platform import Platform


class Stage(Protocol):
    """A platform with the RUNNING service `web-service`, which follows the tag `latest` and deploys only when told to.

    Attributes:
        platform: the implementation.
    """

    platform: Platform

    def pause(self, name: str) -> None:
        """Pause a service without the port, and wait until it is paused."""
        ...

    def occupy(self, name: str) -> None:
        """Start a deployment that has not ended when this returns."""
        ...

    def settle(self, name: str) -> None:
        """Wait until no operation is in progress."""
        ...


class PlatformContract:
    """Subclasses provide the fixture `stage`."""

    def test_describes_a_service(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")

        assert (service.name, service.status) == ("web-service", ServiceStatus.RUNNING)
        assert not service.auto_deploys
        assert service.id
        assert service.image.endswith(":latest")
        assert service.url.startswith(("http://", "https://"))

    def test_lists_where_services_answer(self, stage: Stage) -> None:
        assert stage.platform.service_urls()["web-service"] == stage.platform.get_service("web-service").url
        assert "absent" not in stage.platform.service_urls()

    def test_misses_a_service(self, stage: Stage) -> None:
        with pytest.raises(NotFound, match="absent"):
            stage.platform.get_service("absent")

    def test_deploys_and_says_how_it_ended(self, stage: Stage) -> None:
        begun = datetime.now(UTC)
        service = stage.platform.get_service("web-service")

        identity = stage.platform.start_deployment(service, service.image)
        stage.settle("web-service")

        operation = _operation(stage.platform, identity)
        assert operation.deploys
        assert operation.succeeded
        assert abs(operation.started_at - begun) < timedelta(minutes=1)
        assert stage.platform.get_service("web-service").status == ServiceStatus.RUNNING

    def test_lists_the_newest_operation_first(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")
        identities = []
        for _ in range(2):
            identities.append(stage.platform.start_deployment(service, service.image))
            stage.settle("web-service")

        listed = [operation.id for operation in stage.platform.list_operations(service)]

        assert identities[::-1] == listed[:2]

    def test_starts_nothing_while_the_service_is_busy(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")
        stage.occupy("web-service")
        before = len(stage.platform.list_operations(service))

        assert stage.platform.start_deployment(service, service.image) == ""

        assert before == len(stage.platform.list_operations(service))

    def test_shows_a_busy_service_as_busy(self, stage: Stage) -> None:
        stage.occupy("web-service")

        assert stage.platform.get_service("web-service").status == ServiceStatus.BUSY
        assert not stage.platform.list_operations(stage.platform.get_service("web-service"))[0].is_finished

    def test_creates_a_service_like_another(self, stage: Stage) -> None:
        neighbour = stage.platform.get_service("web-service")
        settings = stage.platform.read_settings(neighbour)
        adapted = evolve(settings, variables={**settings.variables, "TENANT": "ann"})

        stage.platform.create_service_like(neighbour, "ann-service", image=neighbour.image, settings=adapted)

        created = stage.platform.get_service("ann-service")
        assert (created.image, created.auto_deploys) == (neighbour.image, False)
        assert stage.platform.read_settings(created) == adapted
        with pytest.raises(Refused):
            stage.platform.create_service_like(neighbour, "ann-service", image=neighbour.image, settings=adapted)

    def test_deletes_no_service_that_was_created(self, stage: Stage) -> None:
        with pytest.raises(Refused, match="web-service"):
            stage.platform.delete_failed_service(stage.platform.get_service("web-service"))

    def test_refuses_to_deploy_a_paused_service_and_says_how_to_resume_it(self, stage: Stage) -> None:
        stage.pause("web-service")

        with pytest.raises(Refused, match="PAUSED") as caught:
            stage.platform.start_deployment(stage.platform.get_service("web-service"), "")

        assert "resume" in caught.value.hint


def _operation(platform: Platform, identity: str) -> Operation:
    operations = platform.list_operations(platform.get_service("web-service"))
    return next(operation for operation in operations if operation.id == identity)
