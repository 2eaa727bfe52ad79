"""Commands on the local cloud: their programs really run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve, frozen

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.commands import EcsCommands
from kaizen_tasks.domain.command import TaskSettings
from kaizen_tasks.domain.environment import Environment
from tests.contracts.commands import CommandsContract
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings
from tests.localcloud.ecs.samples import fargate
from tests.localcloud.layers import BUNDLE, Pushed, archive, folder
from tests.support.local_cloud import REGION

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.session import Aws
    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

FAMILY = "commands-contract"
PROGRAMS = (
    'case "$0" in print) for word; do echo "$word"; done ;; fail) exit 3 ;; wait) while :; do sleep 0.1; done ;; esac'
)
"""The image's entry point gets the words of a command: it does what the contract says of them."""


@frozen
class CloudDesk:
    commands: EcsCommands
    environment: Environment
    image: str


@pytest.fixture(scope="module")
def image(cloud: Cloud) -> str:
    """Push an image, and register the task definition of another one; return the image."""
    images = Pushed(cloud.client("ecr"))
    images.repository(FAMILY)
    config = {"Entrypoint": ["sh", "-c", PROGRAMS], "Labels": BUNDLE}
    digest = images.image(FAMILY, [archive(folder("app"))], config=config)
    options = {"awslogs-group": f"/ecs/{FAMILY}", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    cloud.client("logs").create_log_group(logGroupName=f"/ecs/{FAMILY}")
    web = {
        "name": "web",
        "image": f"{cloud.registry}/{FAMILY}@sha256:{'0' * 64}",
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    cloud.client("ecs").register_task_definition(**fargate(web, family=FAMILY))
    return f"{cloud.registry}/{FAMILY}@{digest}"


class TestContract(CommandsContract):
    @pytest.fixture
    def desk(self, image: str, aws: Aws) -> CloudDesk:
        task = TaskSettings(family=FAMILY, subnets=("subnet-1",))
        environment = evolve(settings().environments["prod"], task=task)
        return CloudDesk(EcsCommands(Cluster(aws, "default", FakeClock()), container=""), environment, image)
