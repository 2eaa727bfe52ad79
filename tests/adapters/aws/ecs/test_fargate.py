"""Plain services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.adapters.aws.attempts import AnswerLost
from kaizen_tasks.adapters.aws.ecs.fargate import FargatePlatform
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import DeployFailed, NotFound, Refused
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.answers import NEW_IMAGE, OLD_IMAGE, container, definition_arn, deployment, revision_arn
from tests.adapters.aws.ecs.scripted_ecs import ScriptedAws, ScriptedEcs, cluster, error
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

GATEWAY = {"gatewayConnections": [{"serviceUrl": "https://web.gateway.example", "accessType": "PUBLIC"}]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ecs() -> ScriptedEcs:
    client = ScriptedEcs()
    client.answer("DescribeServices", answers.services(answers.service()))
    client.answer("DescribeTaskDefinition", answers.definition())
    client.answer("ListServiceDeployments", answers.deployments(deployment(1)))
    client.answer("RegisterTaskDefinition", answers.registered)
    client.answer("UpdateService", {"service": answers.service(revisions=(1, 2))})
    client.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1), answers.revision(2, NEW_IMAGE)))
    return client


@pytest.fixture
def platform(ecs: ScriptedEcs, clock: FakeClock) -> FargatePlatform:
    return FargatePlatform(cluster(ScriptedAws(ecs), clock=clock), container="")


def start(platform: FargatePlatform, image: str = NEW_IMAGE) -> str:
    return platform.start_deployment(platform.get_service("web"), image)


def by_name(service: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer DescribeServices in a cluster with one service."""
    return lambda request: answers.services(*([service] if request["services"] == ["web"] else []))


class TestDescription:
    def test_image_is_that_of_the_task_definition(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")

        assert (service.id, service.image, service.url) == (answers.service_arn(), OLD_IMAGE, "")
        assert (service.status, service.native_status) == (ServiceStatus.RUNNING, "ACTIVE")
        assert service.running_digest == f"sha256:{'a' * 64}"
        assert ecs.operations == ["DescribeServices", "DescribeTaskDefinition"]

    def test_digest_of_a_tag_is_that_of_the_revision(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeTaskDefinition", answers.definition(container(image="web:latest")))
        images = [{"containerName": "web", "image": "web:latest", "imageDigest": "sha256:1a2b"}]
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, containerImages=images)))

        assert platform.get_service("web").running_digest == "sha256:1a2b"

    def test_nobody_knows_which_digest_runs_while_two_do(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        running = [
            {"status": "PRIMARY", "rolloutState": "IN_PROGRESS"},
            {"status": "ACTIVE", "rolloutState": "COMPLETED"},
        ]
        ecs.answer("DescribeServices", answers.services(answers.service(deployments=running, revisions=(1, 2))))
        ecs.answer("DescribeServiceDeployments", answers.details(answers.detail(2, "IN_PROGRESS", ended_after=None)))

        service = platform.get_service("web")

        assert (service.status, service.running_digest) == (ServiceStatus.BUSY, "")

    @pytest.mark.parametrize(
        "answer",
        [
            {"services": [], "failures": [{"arn": answers.service_arn(), "reason": "MISSING"}]},
            answers.services(answers.service(status="INACTIVE")),
            error("ClusterNotFoundException", "Cluster not found."),
        ],
    )
    def test_missing_service_is_not_found(self, platform: FargatePlatform, ecs: ScriptedEcs, answer: Any) -> None:
        ecs.answer("DescribeServices", answer)

        with pytest.raises(NotFound):
            platform.get_service("web")

    @pytest.mark.parametrize(
        ("members", "status", "fix"),
        [
            ({"status": "DRAINING"}, ServiceStatus.UNAVAILABLE, "wait until it is deleted"),
            ({"desiredCount": 0}, ServiceStatus.PAUSED, "--desired-count 1"),
            ({"deploymentController": {"type": "CODE_DEPLOY"}}, ServiceStatus.UNAVAILABLE, "deployment controller"),
        ],
    )
    def test_service_that_cannot_be_deployed_says_what_to_do(
        self, platform: FargatePlatform, ecs: ScriptedEcs, members: dict[str, Any], status: ServiceStatus, fix: str
    ) -> None:
        ecs.answer("DescribeServices", answers.services(answers.service(**members)))

        service = platform.get_service("web")

        assert service.status is status
        assert fix in service.fix

    def test_express_service_is_refused(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeServices", answers.services(answers.service(resourceManagementType="ECS")))

        with pytest.raises(Refused, match="Express Mode") as caught:
            platform.get_service("web")

        assert 'platform = "ecs-express"' in caught.value.hint

    def test_several_essential_containers_are_refused(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeTaskDefinition", answers.definition(container("proxy"), container("web")))

        with pytest.raises(Refused, match="proxy, web"):
            platform.get_service("web")

    def test_gateway_of_the_cluster_gives_an_address(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeServices", answers.services(answers.service(loadBalancers=[])))
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, ecsManagedResources=GATEWAY)))

        assert platform.get_service("web").url == "https://web.gateway.example"

    def test_addresses_are_read_of_services_with_a_gateway_alone(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer(
            "ListServices",
            {"serviceArns": [answers.service_arn("a")], "nextToken": "t"},
            {"serviceArns": [answers.service_arn("b")]},
        )
        ecs.answer(
            "DescribeServices",
            answers.services(
                answers.service(serviceName="a", loadBalancers=[], revisions=(1,)),
                answers.service(serviceName="b", currentServiceRevisions=[]),
            ),
        )
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, ecsManagedResources=GATEWAY)))

        assert platform.service_urls() == {"a": "https://web.gateway.example", "b": ""}
        assert [request.get("nextToken") for request in ecs.asked("ListServices")] == [None, "t"]
        assert ecs.asked("ListServices")[0]["resourceManagementType"] == "CUSTOMER"


class TestStart:
    def test_registers_a_definition_with_another_image_and_updates_the_service(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        revision = start(platform)

        (request,) = ecs.asked("RegisterTaskDefinition")
        assert request["containerDefinitions"] == [container(image=NEW_IMAGE)]
        assert request["tags"] == [{"key": "team", "value": "coach"}]
        assert ecs.asked("UpdateService") == [
            {"cluster": "main", "service": "web", "taskDefinition": definition_arn(2)}
        ]
        assert revision == revision_arn(2)

    def test_takes_three_requests(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")
        ecs.requests.clear()

        platform.start_deployment(service, NEW_IMAGE)

        assert ecs.operations == ["ListServiceDeployments", "RegisterTaskDefinition", "UpdateService"]

    def test_definition_that_somebody_deployed_meanwhile_is_read(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        service = platform.get_service("web")
        ecs.answer(
            "DescribeServices", answers.services(answers.service(revisions=(2,), taskDefinition=definition_arn(2)))
        )
        ecs.answer("ListServiceDeployments", answers.deployments(deployment(2), deployment(1)))
        ecs.answer("DescribeTaskDefinition", answers.definition(revision=2, cpu="1024"))
        ecs.answer("UpdateService", {"service": answers.service(revisions=(2, 3))})

        platform.start_deployment(service, NEW_IMAGE)

        assert ecs.asked("RegisterTaskDefinition")[0]["cpu"] == "1024"

    def test_definition_that_a_stopped_run_has_registered_is_used(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        registered = answers.definition(container(image=NEW_IMAGE), revision=2)
        ecs.answer(
            "DescribeTaskDefinition",
            lambda request: registered if request["taskDefinition"] == "web" else answers.definition(),
        )

        assert start(platform) == revision_arn(2)

        assert not ecs.asked("RegisterTaskDefinition")
        assert ecs.asked("UpdateService")[0]["taskDefinition"] == definition_arn(2)

    def test_later_definition_with_another_setting_is_not_used(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        later = answers.definition(container(image=NEW_IMAGE), revision=2, cpu="1024")
        ecs.answer(
            "DescribeTaskDefinition",
            lambda request: later if request["taskDefinition"] == "web" else answers.definition(),
        )

        start(platform)

        assert [request["cpu"] for request in ecs.asked("RegisterTaskDefinition")] == ["256"]

    def test_definition_of_a_family_whose_latest_cannot_be_read_is_read_by_its_name(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if request["taskDefinition"] == "web":
                raise error("ClientException", "Unable to describe task definition.")
            return answers.definition(status="INACTIVE")

        ecs.answer("DescribeTaskDefinition", answer)

        assert platform.get_service("web").image == OLD_IMAGE

    def test_image_that_is_configured_already_needs_no_definition(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        assert start(platform, OLD_IMAGE) == revision_arn(2)

        assert not ecs.asked("RegisterTaskDefinition")
        assert ecs.asked("UpdateService") == [{"cluster": "main", "service": "web", "forceNewDeployment": True}]

    def test_changes_the_configured_container(self, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeTaskDefinition", answers.definition(container("proxy", "proxy:1"), container("web")))
        platform = FargatePlatform(cluster(ScriptedAws(ecs)), container="web")

        start(platform)

        (request,) = ecs.asked("RegisterTaskDefinition")
        assert [each["image"] for each in request["containerDefinitions"]] == ["proxy:1", NEW_IMAGE]

    def test_definition_that_loses_something_is_not_deployed(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        def lossy(request: dict[str, Any]) -> dict[str, Any]:
            (web,) = request["containerDefinitions"]
            return answers.registered({**request, "containerDefinitions": [{**web, "secrets": []}], "cpu": "512"})

        ecs.answer("RegisterTaskDefinition", lossy)

        with pytest.raises(DeployFailed, match=r"did not keep containerDefinitions\.web\.secrets\.KEY, cpu"):
            start(platform)

        assert not ecs.asked("UpdateService")

    def test_starts_nothing_while_a_deployment_runs(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        running = deployment(2, "PENDING", ended_after=None)
        ecs.answer("ListServiceDeployments", answers.deployments(running, deployment(1)))

        assert start(platform) == ""

        assert not ecs.asked("RegisterTaskDefinition")

    def test_update_whose_answer_is_lost_is_found_and_not_repeated(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("UpdateService", AnswerLost())
        late = deployment(2, "IN_PROGRESS", ended_after=None)
        ecs.answer(
            "ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(late, deployment(1))
        )

        assert start(platform) == revision_arn(2)

        assert len(ecs.asked("UpdateService")) == 1

    def test_forced_deployment_is_told_from_the_one_before_by_its_revision(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("UpdateService", {"service": answers.service()})
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1), answers.revision(2)))
        late = deployment(2, "IN_PROGRESS", ended_after=None)
        ecs.answer(
            "ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(late, deployment(1))
        )

        assert start(platform, OLD_IMAGE) == revision_arn(2)

    def test_deleted_service_is_not_found(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")
        ecs.answer("ListServiceDeployments", error("ServiceNotFoundException", "Service not found."))

        with pytest.raises(NotFound):
            platform.start_deployment(service, NEW_IMAGE)


class TestNewService:
    def test_is_like_its_neighbour_with_a_definition_of_its_own(
        self, platform: FargatePlatform, ecs: ScriptedEcs
    ) -> None:
        neighbour = answers.service(
            loadBalancers=[],
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}},
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            tags=[{"key": "team", "value": "coach"}],
        )
        ecs.answer("DescribeServices", by_name(neighbour))
        ecs.answer("CreateService", {"service": answers.service()})
        service = platform.get_service("web")

        platform.create_service_like(service, "ann", image=NEW_IMAGE, settings=platform.read_settings(service))

        (registration,) = ecs.asked("RegisterTaskDefinition")
        (web,) = registration["containerDefinitions"]
        assert (registration["family"], web["image"]) == ("ann", NEW_IMAGE)
        assert web["logConfiguration"]["options"]["awslogs-group"] == "/ecs/ann"
        assert web["logConfiguration"]["options"]["awslogs-create-group"] == "true"
        assert ecs.asked("CreateService") == [
            {
                "cluster": "main",
                "serviceName": "ann",
                "taskDefinition": definition_arn(2),
                "desiredCount": 2,
                **{
                    member: neighbour[member]
                    for member in ("launchType", "networkConfiguration", "deploymentConfiguration", "tags")
                },
            }
        ]

    def test_gateway_gives_the_new_service_an_address_too(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        connectors = [{"portName": "http"}]
        ecs.answer("DescribeServices", by_name(answers.service(loadBalancers=[])))
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, gatewayConnectors=connectors)))
        ecs.answer("CreateService", {"service": answers.service()})
        service = platform.get_service("web")

        platform.create_service_like(service, "ann", image=NEW_IMAGE, settings=platform.read_settings(service))

        assert ecs.asked("CreateService")[0]["gatewayConnectors"] == connectors

    def test_service_behind_a_load_balancer_has_no_double(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeServices", by_name(answers.service()))
        service = platform.get_service("web")

        with pytest.raises(Refused, match="a target group and a rule of its own"):
            platform.create_service_like(service, "ann", image=NEW_IMAGE, settings=platform.read_settings(service))

        assert not ecs.asked("CreateService")

    def test_service_that_exists_is_not_created(self, platform: FargatePlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")

        with pytest.raises(Refused, match="there is a service web in the cluster main"):
            platform.create_service_like(service, "web", image=NEW_IMAGE, settings=platform.read_settings(service))

        assert not ecs.asked("RegisterTaskDefinition")

    def test_settings_name_size_port_and_roles(self, platform: FargatePlatform) -> None:
        settings = platform.read_settings(platform.get_service("web"))

        assert settings.description == "0.25 vCPU, 0.5 GB, port 8080"
        assert settings.instance_role == f"{answers.ROLE}/web"


def test_revision_that_is_known_is_not_the_target() -> None:
    """A service that shows revisions of older deployments too does not name the new one."""
    ecs = ScriptedEcs()
    ecs.answer("DescribeServices", answers.services(answers.service(revisions=(1, 5))))
    ecs.answer("DescribeTaskDefinition", answers.definition())
    ecs.answer(
        "ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(deployment(2), deployment(1))
    )
    ecs.answer("RegisterTaskDefinition", answers.registered)
    ecs.answer("UpdateService", {"service": answers.service(revisions=(1, 5))})
    ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(2, NEW_IMAGE)))

    assert start(FargatePlatform(cluster(ScriptedAws(ecs)), container="")) == revision_arn(2)
