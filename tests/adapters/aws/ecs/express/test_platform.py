"""Services in Express Mode."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.adapters.aws.attempts import AnswerLost
from kaizen_tasks.adapters.aws.ecs.express.platform import ExpressPlatform
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import Denied, DeployFailed, KaizenError, NotFound, Refused, Undeployable
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.answers import (
    NEW_IMAGE,
    OLD_IMAGE,
    configuration,
    deployment,
    express_service,
    revision_arn,
    updated,
)
from tests.adapters.aws.ecs.scripted_ecs import ScriptedAws, ScriptedEcs, cluster, error
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ecs() -> ScriptedEcs:
    client = ScriptedEcs()
    client.answer("DescribeExpressGatewayService", express_service())
    client.answer("ListServiceDeployments", answers.deployments(deployment(1)))
    client.answer("UpdateExpressGatewayService", updated(configuration(2, NEW_IMAGE)))
    client.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1), answers.revision(2, NEW_IMAGE)))
    client.answer("DescribeServices", answers.services())
    return client


@pytest.fixture
def platform(ecs: ScriptedEcs, clock: FakeClock) -> ExpressPlatform:
    return ExpressPlatform(cluster(ScriptedAws(ecs), clock=clock), container="")


def start(platform: ExpressPlatform, image: str = NEW_IMAGE) -> str:
    return platform.start_deployment(platform.get_service("web"), image)


class TestDescription:
    def test_service_is_found_by_an_arn_of_account_region_cluster_and_name(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        service = platform.get_service("web")

        assert ecs.asked("DescribeExpressGatewayService") == [{"serviceArn": answers.service_arn()}]
        assert (service.id, service.image) == (answers.service_arn(), OLD_IMAGE)
        assert (service.status, service.native_status) == (ServiceStatus.RUNNING, "ACTIVE")
        assert service.running_digest == f"sha256:{'a' * 64}"

    def test_public_address_is_preferred(self, platform: ExpressPlatform) -> None:
        assert platform.get_service("web").url == "https://we0123.ecs.eu-west-1.on.aws"

    @pytest.mark.parametrize(
        ("paths", "url"),
        [
            ([{"accessType": "PRIVATE", "endpoint": "internal.example"}], "https://internal.example"),
            ([{"accessType": "PUBLIC", "endpoint": "https://whole.example"}], "https://whole.example"),
            ([{"accessType": "PUBLIC", "endpoint": "127.0.0.1:8080"}], "http://127.0.0.1:8080"),
            ([], ""),
        ],
    )
    def test_address_gets_a_scheme_if_it_has_none(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, paths: list[dict[str, str]], url: str
    ) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(configuration(ingressPaths=paths)))

        assert platform.get_service("web").url == url

    @pytest.mark.parametrize(
        "answer",
        [
            error("ResourceNotFoundException", "gone"),
            error("InvalidParameterException", "Resource not found"),
            express_service(status="INACTIVE"),
        ],
    )
    def test_missing_service_is_not_found(self, platform: ExpressPlatform, ecs: ScriptedEcs, answer: Any) -> None:
        ecs.answer("DescribeExpressGatewayService", answer)

        with pytest.raises(NotFound, match="no service web in the cluster main"):
            platform.get_service("web")

    def test_service_that_is_being_deleted_is_unavailable(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(status="DRAINING"))

        service = platform.get_service("web")

        assert service.status is ServiceStatus.UNAVAILABLE
        assert service.fix

    def test_nobody_knows_which_digest_runs_in_a_canary(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(configuration(2, NEW_IMAGE), configuration(1)))

        service = platform.get_service("web")

        assert (service.status, service.running_digest) == (ServiceStatus.BUSY, "")

    @pytest.mark.parametrize(("status", "expected"), [("IN_PROGRESS", "BUSY"), ("SUCCESSFUL", "RUNNING")])
    def test_current_deployment_says_whether_the_service_is_busy(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, status: str, expected: str
    ) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(currentDeployment=answers.deployment_arn(1)))
        ecs.answer("DescribeServiceDeployments", answers.details(answers.detail(1, status)))

        assert platform.get_service("web").status is ServiceStatus[expected]

    def test_digest_of_a_tag_is_that_of_the_revision(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(configuration(image="web:latest")))
        images = [{"containerName": "Main", "image": "web:latest", "imageDigest": "sha256:1a2b"}]
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, containerImages=images)))

        assert platform.get_service("web").running_digest == "sha256:1a2b"

    def test_addresses_of_all_services(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        names = [f"web{number}" for number in range(11)]
        ecs.answer("ListServices", {"serviceArns": [answers.service_arn(name) for name in names]})
        ecs.answer(
            "DescribeServices",
            lambda request: answers.services(*(answers.service(serviceName=name) for name in request["services"])),
        )
        paths = [{"accessType": "PUBLIC", "endpoint": "we1.example"}]
        ecs.answer(
            "DescribeServiceRevisions",
            answers.revisions(answers.revision(1, ecsManagedResources={"ingressPaths": paths})),
        )

        assert platform.service_urls() == dict.fromkeys(names, "https://we1.example")
        assert ecs.operations == ["ListServices", "DescribeServices", "DescribeServices", "DescribeServiceRevisions"]
        assert ecs.asked("ListServices")[0]["resourceManagementType"] == "ECS"


class TestStart:
    def test_sends_the_whole_configuration_with_another_image(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        revision = start(platform)

        (request,) = ecs.asked("UpdateExpressGatewayService")
        expected = configuration(image=NEW_IMAGE)
        for member in ("serviceRevisionArn", "ingressPaths", "createdAt"):
            del expected[member]
        assert request == {"serviceArn": answers.service_arn(), **expected}
        assert revision == revision_arn(2)

    def test_takes_two_requests(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")
        ecs.requests.clear()

        platform.start_deployment(service, NEW_IMAGE)

        assert ecs.operations == ["ListServiceDeployments", "UpdateExpressGatewayService"]

    def test_configuration_that_somebody_deployed_meanwhile_is_read(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        service = platform.get_service("web")
        ecs.answer("DescribeExpressGatewayService", express_service(configuration(2, cpu="1024")))
        ecs.answer("ListServiceDeployments", answers.deployments(deployment(2), deployment(1)))
        ecs.answer("UpdateExpressGatewayService", updated(configuration(3, NEW_IMAGE, cpu="1024")))

        platform.start_deployment(service, NEW_IMAGE)

        assert ecs.asked("UpdateExpressGatewayService")[0]["cpu"] == "1024"

    def test_second_attempt_reads_the_configuration_again(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        service = platform.get_service("web")
        platform.start_deployment(service, NEW_IMAGE)
        ecs.requests.clear()

        platform.start_deployment(service, NEW_IMAGE)

        assert ecs.operations[:2] == ["ListServiceDeployments", "DescribeExpressGatewayService"]

    def test_image_that_is_configured_already_is_deployed_by_new_tasks(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("UpdateService", {"service": answers.service(revisions=(1, 2))})

        assert start(platform, OLD_IMAGE) == revision_arn(2)

        assert ecs.asked("UpdateService") == [{"cluster": "main", "service": "web", "forceNewDeployment": True}]
        assert not ecs.asked("UpdateExpressGatewayService")

    def test_starts_nothing_while_a_deployment_runs(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        running = deployment(2, "IN_PROGRESS", ended_after=None)
        ecs.answer("ListServiceDeployments", answers.deployments(running, deployment(1)))

        assert start(platform) == ""

        assert not ecs.asked("UpdateExpressGatewayService")

    def test_continues_from_the_last_successful_configuration_of_several(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        failed = configuration(3, OLD_IMAGE, cpu="1024")
        ecs.answer("DescribeExpressGatewayService", express_service(failed, configuration(1)))
        rolled_back = deployment(3, "ROLLBACK_SUCCESSFUL")
        ecs.answer("ListServiceDeployments", answers.deployments(rolled_back, deployment(1)))

        start(platform)

        assert ecs.asked("UpdateExpressGatewayService")[0]["cpu"] == "256"

    def test_refuses_if_no_configuration_is_known_to_serve(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeExpressGatewayService", express_service(configuration(3), configuration(4)))

        with pytest.raises(Refused, match="2 active configurations"):
            start(platform)

    def test_update_that_loses_something_is_rolled_back_and_named(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        service = platform.get_service("web")
        lossy = configuration(2, NEW_IMAGE, healthCheckPath="/ping")
        lossy["primaryContainer"]["environment"] = []
        ecs.answer("UpdateExpressGatewayService", updated(lossy))
        running = deployment(2, "IN_PROGRESS", ended_after=None)
        ecs.answer("ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(running))
        ecs.answer("StopServiceDeployment", {"serviceDeploymentArn": answers.deployment_arn(2)})

        with pytest.raises(DeployFailed) as caught:
            platform.start_deployment(service, NEW_IMAGE)

        names = "healthCheckPath, primaryContainer.environment.API_URL, primaryContainer.environment.TOKEN"
        assert caught.value.message == f"the update of web did not keep {names}"
        assert "hush" not in str(caught.value)
        assert ecs.asked("StopServiceDeployment")[0]["stopType"] == "ROLLBACK"

    def test_configuration_is_read_if_the_answer_does_not_show_it(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        service = platform.get_service("web")
        ecs.answer("UpdateExpressGatewayService", updated({"serviceRevisionArn": revision_arn(2)}))
        lossy = express_service(configuration(1), configuration(2, NEW_IMAGE, cpu="1024"))
        ecs.answer("DescribeExpressGatewayService", lossy)
        ecs.answer("ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(deployment(2)))

        with pytest.raises(DeployFailed, match="did not keep cpu") as caught:
            platform.start_deployment(service, NEW_IMAGE)

        assert caught.value.state.startswith("its deployment was not stopped: web has no deployment")

    def test_own_task_definition_gets_a_new_revision(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        own = configuration(taskDefinitionArn=answers.definition_arn(1))
        del own["primaryContainer"]
        ecs.answer("DescribeExpressGatewayService", express_service(own))
        ecs.answer("DescribeTaskDefinition", answers.definition(answers.container("Main")))
        ecs.answer("RegisterTaskDefinition", answers.registered)
        ecs.answer("UpdateExpressGatewayService", updated({"serviceRevisionArn": revision_arn(2)}))

        assert start(platform) == revision_arn(2)

        (request,) = ecs.asked("UpdateExpressGatewayService")
        assert request == {"serviceArn": answers.service_arn(), "taskDefinitionArn": answers.definition_arn(2)}
        assert ecs.asked("RegisterTaskDefinition")[0]["containerDefinitions"] == [answers.container("Main", NEW_IMAGE)]


class TestLostAnswer:
    @pytest.mark.parametrize(
        "failure",
        [
            AnswerLost(),
            error("ThrottlingException", "slow down"),
        ],
    )
    def test_update_whose_answer_is_lost_is_found_and_not_repeated(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, clock: FakeClock, failure: Exception
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", failure)
        late = deployment(2, "IN_PROGRESS", ended_after=None)
        nothing, found = answers.deployments(deployment(1)), answers.deployments(late, deployment(1))
        ecs.answer("ListServiceDeployments", nothing, nothing, found)
        ecs.answer(
            "DescribeExpressGatewayService",
            express_service(),
            express_service(),
            express_service(configuration(2, NEW_IMAGE)),
        )

        assert start(platform) == revision_arn(2)

        assert len(ecs.asked("UpdateExpressGatewayService")) == 1
        assert clock.sleeps == [1.0]

    def test_deployment_of_another_image_is_not_taken_for_it(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer("UpdateExpressGatewayService", AnswerLost())
        foreign = deployment(3, "SUCCESSFUL")
        ecs.answer(
            "ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(foreign, deployment(1))
        )
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(3, f"web@sha256:{'c' * 64}")))

        assert start(platform) == ""

    def test_refused_update_is_an_error_at_once(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, clock: FakeClock
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", error("InvalidParameterException", "The image is bad."))

        with pytest.raises(DeployFailed, match="The image is bad"):
            start(platform)

        assert clock.sleeps == []

    def test_update_that_is_refused_because_another_one_was_faster_waits(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", error("InvalidParameterException", "a deployment is in progress"))
        foreign = deployment(3, "IN_PROGRESS", ended_after=None)
        ecs.answer(
            "ListServiceDeployments", answers.deployments(deployment(1)), answers.deployments(foreign, deployment(1))
        )
        ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(3, f"web@sha256:{'c' * 64}")))

        assert start(platform) == ""

    def test_answer_without_a_revision_is_completed_by_the_list(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", updated({}))
        ecs.answer(
            "ListServiceDeployments",
            answers.deployments(deployment(1)),
            answers.deployments(deployment(2), deployment(1)),
        )

        assert start(platform) == revision_arn(2)

    def test_update_that_nobody_sees_is_an_error(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, clock: FakeClock
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", updated({}))

        with pytest.raises(DeployFailed, match="no deployment of it appeared"):
            start(platform)

        assert sum(clock.sleeps) >= 30

    @pytest.mark.parametrize("code", ["ExpiredTokenException", "AccessDeniedException"])
    def test_credentials_that_do_not_suffice_are_denied(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, code: str
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", error(code, "no"))

        with pytest.raises(Denied):
            start(platform)


class TestFirstUse:
    @pytest.mark.parametrize(
        "message",
        ["Unable to assume the service linked role. Please verify …", "Cannot assume role arn:aws:iam::1:role/x"],
    )
    def test_roles_that_are_new_are_waited_for(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, clock: FakeClock, message: str
    ) -> None:
        failure = error("InvalidParameterException", message)
        ecs.answer("UpdateExpressGatewayService", failure, failure, updated(configuration(2, NEW_IMAGE)))

        assert start(platform) == revision_arn(2)

        assert clock.sleeps == [5.0, 5.0]

    def test_roles_are_not_waited_for_longer_than_two_minutes(
        self, platform: ExpressPlatform, ecs: ScriptedEcs, clock: FakeClock
    ) -> None:
        ecs.answer("UpdateExpressGatewayService", error("InvalidParameterException", "Cannot assume role x"))

        with pytest.raises(KaizenError, match="Cannot assume role"):
            start(platform)

        assert 120 <= sum(clock.sleeps) < 130


class TestNewService:
    def test_is_like_its_neighbour_in_all_but_what_is_adapted(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        described = {**express_service(), "tags": [{"key": "team", "value": "coach"}]}
        described["service"]["tags"] = described.pop("tags")
        ecs.answer("DescribeExpressGatewayService", described)
        ecs.answer("CreateExpressGatewayService", express_service())
        neighbour = platform.get_service("web")
        settings = platform.read_settings(neighbour)

        platform.create_service_like(neighbour, "ann", image=NEW_IMAGE, settings=settings)

        (request,) = ecs.asked("CreateExpressGatewayService")
        expected = configuration(image=NEW_IMAGE)
        for member in ("serviceRevisionArn", "ingressPaths", "createdAt"):
            del expected[member]
        del expected["primaryContainer"]["awsLogsConfiguration"]
        assert request == {
            "serviceName": "ann",
            "cluster": "main",
            "infrastructureRoleArn": f"{answers.ROLE}/infrastructure",
            "tags": [{"key": "team", "value": "coach"}],
            **expected,
        }

    def test_settings_name_size_health_check_and_scaling(self, platform: ExpressPlatform) -> None:
        settings = platform.read_settings(platform.get_service("web"))

        assert settings.description == "0.25 vCPU, 0.5 GB, port 8080, health check /health, 1 to 4 tasks"
        assert (settings.port, settings.instance_role) == (8080, f"{answers.ROLE}/web")
        assert settings.execution_role == f"{answers.ROLE}/execution"
        assert dict(settings.variables) == {"API_URL": "https://api.example", "TOKEN": "hush"}
        assert list(settings.secrets) == ["KEY"]

    def test_refused_creation_is_refused(self, platform: ExpressPlatform, ecs: ScriptedEcs) -> None:
        ecs.answer(
            "CreateExpressGatewayService", error("InvalidParameterException", "Creation of service was not idempotent.")
        )
        neighbour = platform.get_service("web")

        with pytest.raises(Refused, match="not idempotent"):
            platform.create_service_like(neighbour, "ann", image=NEW_IMAGE, settings=platform.read_settings(neighbour))

    def test_no_service_is_deleted_that_has_a_configuration(self, platform: ExpressPlatform) -> None:
        with pytest.raises(Refused, match="not deleted"):
            platform.delete_failed_service(platform.get_service("web"))

    def test_service_whose_first_deployment_failed_was_not_created(
        self, platform: ExpressPlatform, ecs: ScriptedEcs
    ) -> None:
        failed = express_service()
        failed["service"] |= {"activeConfigurations": [], "currentDeployment": answers.deployment_arn(1)}
        ecs.answer("DescribeExpressGatewayService", failed)
        ecs.answer("DescribeServiceDeployments", answers.details(answers.detail(1, "ROLLBACK_FAILED")))
        ecs.answer("DeleteExpressGatewayService", failed)

        service = platform.get_service("web")
        with pytest.raises(Undeployable):
            platform.start_deployment(service, NEW_IMAGE)
        platform.delete_failed_service(service)

        assert service.status is ServiceStatus.CREATION_FAILED
        assert "delete-express-gateway-service" in service.fix
        assert ecs.asked("DeleteExpressGatewayService") == [{"serviceArn": answers.service_arn()}]
