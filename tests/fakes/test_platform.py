"""The fake platform keeps a platform's promises."""

from __future__ import annotations

import pytest
from attrs import frozen

from kaizen_tasks.domain.service import OperationState, ServiceStatus
from tests.contracts.platform import PausablePlatformContract, PlatformContract, UntaggedPlatformContract
from tests.fakes.platform import FakePlatform

IMAGE = "registry.example/team/web:latest"
PINNED_IMAGES = [f"registry.example/team/web@sha256:{digit * 64}" for digit in "ab"]


@frozen
class FakeStage:
    platform: FakePlatform
    image: str = IMAGE

    def pause(self, name: str) -> None:
        self.platform.set_status(name, ServiceStatus.PAUSED)

    def occupy(self, name: str) -> str:
        self.platform.polls = 1
        return self.platform.begin_operation(name, image=self.image)

    def settle(self, name: str) -> None:
        service = self.platform.get_service(name)
        while not self.platform.list_operations(service)[0].is_finished:
            """Look again."""


class TestContract(PlatformContract, PausablePlatformContract):
    @pytest.fixture
    def stage(self) -> FakeStage:
        platform = FakePlatform()
        platform.add("web-service", image=IMAGE)
        return FakeStage(platform)


class TestUntaggedContract(UntaggedPlatformContract):
    @pytest.fixture
    def stage(self) -> FakeStage:
        old_image, new_image = PINNED_IMAGES
        platform = FakePlatform(follows_tag=False)
        platform.add("web-service", image=old_image)
        return FakeStage(platform, new_image)


def test_an_operation_is_under_way_for_as_many_answers_as_told() -> None:
    platform = FakePlatform(polls=2, outcomes={"web-service": OperationState.ROLLED_BACK})
    service = platform.add("web-service", image=IMAGE)
    platform.start_deployment(service, IMAGE)

    seen = [platform.list_operations(service)[0].state for _ in range(4)]

    assert seen == [OperationState.IN_PROGRESS] * 2 + [OperationState.ROLLED_BACK] * 2
    assert platform.get_service("web-service").status == ServiceStatus.RUNNING


@pytest.mark.parametrize(("outcome", "images"), [(OperationState.SUCCEEDED, [IMAGE]), (OperationState.ROLLED_BACK, [])])
def test_says_what_was_deployed_only_when_it_was(outcome: OperationState, images: list[str]) -> None:
    deployed: list[str] = []
    platform = FakePlatform(outcomes={"web-service": outcome}, on_deployed=lambda it: deployed.append(it.image))
    service = platform.add("web-service", image=IMAGE)

    platform.start_deployment(service, IMAGE)
    platform.list_operations(service)

    assert images == deployed
