"""What every Platform does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from attrs import evolve

from kaizen_tasks.domain.service import OperationState, ServiceStatus
from kaizen_tasks.errors import NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation
    from kaizen_tasks.ports.platform import Platform


class Stage(Protocol):
    """A platform with the running service `web-service`, which deploys only when told to.

    Attributes:
        platform: the implementation.
        image: reference of the image to deploy; where a tag is followed, it is on that image.
    """

    platform: Platform
    image: str

    def pause(self, name: str) -> None:
        """Pause a service without the port, and wait until it is paused."""
        ...

    def occupy(self, name: str) -> str:
        """Start a deployment that has not ended when this returns, without the port; return its identifier."""
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
        assert service.image_reference
        assert service.fix == ""
        assert service.url.startswith(("http://", "https://"))

    def test_lists_where_services_answer(self, stage: Stage) -> None:
        url = stage.platform.get_service("web-service").url
        assert stage.platform.service_urls()["web-service"] == stage.platform.service_url("web-service") == url
        assert "absent" not in stage.platform.service_urls()

    def test_misses_a_service(self, stage: Stage) -> None:
        with pytest.raises(NotFound, match="absent"):
            stage.platform.get_service("absent")
        with pytest.raises(NotFound, match="absent"):
            stage.platform.service_url("absent")

    def test_deploys_and_says_how_it_ended(self, stage: Stage) -> None:
        begun = datetime.now(UTC)
        service = stage.platform.get_service("web-service")

        identity = stage.platform.start_deployment(service, stage.image)
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
            identities.append(stage.platform.start_deployment(service, stage.image))
            stage.settle("web-service")

        listed = [operation.id for operation in stage.platform.list_operations(service)]

        assert identities[::-1] == listed[:2]

    def test_starts_nothing_while_the_service_is_busy(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")
        stage.occupy("web-service")
        before = len(stage.platform.list_operations(service))

        assert stage.platform.start_deployment(service, stage.image) == ""

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

    def test_stops_no_deployment_that_is_not_in_progress(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")
        identity = stage.platform.start_deployment(service, stage.image)
        stage.settle("web-service")

        with pytest.raises(Refused):
            stage.platform.stop_deployment(service, identity)


class PausablePlatformContract:
    """What every platform does whose services can be paused. Subclasses provide the fixture `stage`."""

    def test_refuses_to_deploy_a_paused_service_and_says_how_to_resume_it(self, stage: Stage) -> None:
        stage.pause("web-service")

        service = stage.platform.get_service("web-service")
        with pytest.raises(Refused, match=service.native_status) as caught:
            stage.platform.start_deployment(service, stage.image)

        assert service.status is ServiceStatus.PAUSED
        assert caught.value.hint == service.fix
        assert service.fix.startswith(("resume it", "start it"))


class UntaggedPlatformContract(PlatformContract):
    """What every platform does that follows no tag: a deployment is told its image, and can be stopped.

    Subclasses provide the fixture `stage`. Its `image` is another one than that of the service.
    """

    def test_deploys_the_image_that_it_is_told_and_keeps_everything_else(self, stage: Stage) -> None:
        before = stage.platform.get_service("web-service")
        settings = stage.platform.read_settings(before)

        identity = stage.platform.start_deployment(before, stage.image)
        stage.settle("web-service")

        service = stage.platform.get_service("web-service")
        digest = stage.image.partition("@")[2]
        assert (service.image, service.running_digest) == (stage.image, digest)
        assert before.image != service.image
        assert _operation(stage.platform, identity).digest == digest
        assert stage.platform.read_settings(service) == settings

    def test_deploys_the_image_again_that_it_has(self, stage: Stage) -> None:
        service = stage.platform.get_service("web-service")

        identity = stage.platform.start_deployment(service, service.image)
        stage.settle("web-service")

        operation = _operation(stage.platform, identity)
        assert operation.succeeded
        assert operation.digest == service.running_digest
        assert stage.platform.get_service("web-service").image == service.image

    def test_stops_a_deployment_so_that_the_image_before_serves(self, stage: Stage) -> None:
        before = stage.platform.get_service("web-service")
        identity = stage.occupy("web-service")

        stage.platform.stop_deployment(before, identity)
        stage.settle("web-service")

        assert _operation(stage.platform, identity).state is OperationState.ROLLED_BACK
        after = stage.platform.get_service("web-service")
        assert (after.running_digest, after.status) == (before.running_digest, ServiceStatus.RUNNING)

    def test_tells_a_superseded_deployment_from_one_that_failed(self, stage: Stage) -> None:
        identity = stage.occupy("web-service")
        stage.occupy("web-service")
        stage.settle("web-service")

        operation = _operation(stage.platform, identity)
        assert operation.state is OperationState.SUPERSEDED
        assert operation.finished_at is not None


def _operation(platform: Platform, identity: str) -> Operation:
    operations = platform.list_operations(platform.get_service("web-service"))
    return next(operation for operation in operations if operation.id == identity)
