"""App Runner, on the local cloud; and where that would be slow, on a scripted answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import DeployFailed, NotFound, Refused
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.platform import PausablePlatformContract, PlatformContract
from tests.localcloud.layers import SERVER, Pushed
from tests.support.scripted_server import Reply, Request, ScriptedServer
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path  # noqa: TC004 - attrs does not resolve annotations

    from types_boto3_apprunner import AppRunnerClient  # noqa: TC004 - stubs, which tests run without

    from kaizen_tasks.domain.service import Service

ENDED = {"SUCCEEDED", "FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}
NOT_RUNNING = "Can't start a deployment on the specified service, because it isn't in RUNNING state."
GATED = f"import os, pathlib, time\nwhile not pathlib.Path(os.environ['GATE']).exists(): time.sleep(0.02)\n{SERVER}"
"""An app that starts when its gate file exists: a test decides how long a deployment is in progress."""


@frozen
class CloudStage:
    platform: AppRunnerPlatform
    client: AppRunnerClient
    identity: str
    gate: Path
    image: str = ""  # it follows a tag

    def pause(self, name: str) -> None:
        self.client.pause_service(ServiceArn=self.identity)
        self.settle(name)

    def occupy(self, name: str) -> str:
        self.gate.unlink()
        return self.client.start_deployment(ServiceArn=self.identity)["OperationId"]

    def settle(self, name: str) -> None:
        self.gate.touch()
        wait_for(lambda: self._newest() in ENDED)

    def _newest(self) -> str:
        operations = self.client.list_operations(ServiceArn=self.identity, MaxResults=1)
        return operations["OperationSummaryList"][0]["Status"]


def _delete_when_possible(client: AppRunnerClient, arn: str) -> None:
    def status() -> str:
        return client.describe_service(ServiceArn=arn)["Service"]["Status"]

    wait_for(lambda: status() != "OPERATION_IN_PROGRESS")
    client.delete_service(ServiceArn=arn)
    wait_for(lambda: status() == "DELETED")


class TestAppRunner(PlatformContract, PausablePlatformContract):
    @pytest.fixture
    def stage(self, aws: Aws, tmp_path: Path) -> Iterator[CloudStage]:
        images = Pushed(aws.ecr())
        images.repository("web-service")
        images.app("web-service", "v1.2.3", script=GATED)
        gate = tmp_path / "gate"
        client = aws.apprunner()
        created = client.create_service(
            ServiceName="web-service",
            SourceConfiguration={
                "AutoDeploymentsEnabled": False,
                "AuthenticationConfiguration": {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/pulls"},
                "ImageRepository": {
                    "ImageIdentifier": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web-service:latest",
                    "ImageRepositoryType": "ECR",
                    "ImageConfiguration": {"RuntimeEnvironmentVariables": {"GATE": str(gate)}},
                },
            },
            HealthCheckConfiguration={"Interval": 20, "UnhealthyThreshold": 20},
        )
        stage = CloudStage(AppRunnerPlatform(aws), client, created["Service"]["ServiceArn"], gate)
        stage.settle("web-service")
        yield stage
        stage.settle("web-service")
        for service in client.list_services()["ServiceSummaryList"]:
            if service["ServiceName"] in {"web-service", "ann-service"}:
                _delete_when_possible(client, service["ServiceArn"])
        aws.ecr().delete_repository(repositoryName="web-service", force=True)

    def test_loopback_service_has_an_http_url(self, stage: CloudStage) -> None:
        assert stage.platform.get_service("web-service").url.startswith("http://127.0.0.1:")


@frozen
class ScriptedAppRunner:
    """App Runner as a list of answers by operation."""

    server: ScriptedServer
    platform: AppRunnerPlatform

    def answer(self, operation: str, *replies: Reply) -> None:
        self.server.script[operation] = list(replies)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return the bodies of an operation's requests."""
        return [json.loads(each.body) for each in self.server.requests if _operation(each) == operation]


@pytest.fixture
def scripted(
    credentials: None,  # noqa: ARG001 - it sets them
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ScriptedAppRunner]:
    with ScriptedServer(question=_operation) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_APPRUNNER", server.url)
        yield ScriptedAppRunner(server, AppRunnerPlatform(Aws(region=REGION, profile="", account=ACCOUNT)))


class TestServices:
    def test_list_of_services_reads_every_page_once(self, scripted: ScriptedAppRunner) -> None:
        scripted.answer("ListServices", _page("web-service", more="next"), _page("api"))
        scripted.answer("DescribeService", _described("api"))

        for _ in range(2):
            assert scripted.platform.get_service("api").id == _arn("api")

        assert scripted.asked("ListServices") == [{"MaxResults": 20}, {"MaxResults": 20, "NextToken": "next"}]

    def test_other_services_have_https_urls(self, scripted: ScriptedAppRunner) -> None:
        scripted.answer("ListServices", _page("web-service"))
        scripted.answer("DescribeService", _described("web-service"))

        assert scripted.platform.get_service("web-service").url == "https://web-service.eu-west-1.awsapprunner.com"

    def test_recreated_service_is_found_by_its_new_arn(self, scripted: ScriptedAppRunner) -> None:
        scripted.answer("ListServices", _page("web-service"), _page("web-service", generation=2))
        gone = _error("ResourceNotFoundException", "no such service")
        scripted.answer("DescribeService", _described("web-service"), gone, _described("web-service", generation=2))
        scripted.platform.get_service("web-service")

        assert scripted.platform.get_service("web-service").id == _arn("web-service", generation=2)

    def test_deleted_service_is_not_found(self, scripted: ScriptedAppRunner) -> None:
        scripted.answer("ListServices", _page("web-service"), _page("web-service", status="DELETED"))
        scripted.answer("DescribeService", _described("web-service"), _described("web-service", status="DELETED"))
        scripted.platform.get_service("web-service")

        with pytest.raises(NotFound, match="no App Runner service web-service"):
            scripted.platform.get_service("web-service")

    def test_describes_a_service_that_is_built_from_source(self, scripted: ScriptedAppRunner) -> None:
        scripted.answer("ListServices", _page("web-service"))
        scripted.answer("DescribeService", _described("web-service", image=""))

        assert scripted.platform.get_service("web-service").image == ""


class TestStart:
    @pytest.fixture
    def service(self, scripted: ScriptedAppRunner) -> Service:
        scripted.answer("ListServices", _page("web-service"))
        scripted.answer("DescribeService", _described("web-service"))
        return scripted.platform.get_service("web-service")

    @pytest.mark.parametrize("status", ["OPERATION_IN_PROGRESS", "RUNNING"])
    def test_start_of_a_busy_service_returns_no_operation(
        self, scripted: ScriptedAppRunner, service: Service, status: str
    ) -> None:
        scripted.answer("StartDeployment", _error("InvalidRequestException", NOT_RUNNING))
        scripted.answer("DescribeService", _described("web-service", status=status))

        assert scripted.platform.start_deployment(service, "") == ""

    @pytest.mark.parametrize("status", ["PAUSED", "CREATE_FAILED", "DELETE_FAILED"])
    def test_refuses_a_service_that_cannot_deploy(
        self, scripted: ScriptedAppRunner, service: Service, status: str
    ) -> None:
        scripted.answer("StartDeployment", _error("InvalidRequestException", "in other words"))
        scripted.answer("DescribeService", _described("web-service", status=status))

        with pytest.raises(Refused, match=f"it is {status}") as caught:
            scripted.platform.start_deployment(service, "")

        assert caught.value.hint

    def test_start_fails_on_another_invalid_request(self, scripted: ScriptedAppRunner, service: Service) -> None:
        scripted.answer("StartDeployment", _error("InvalidRequestException", "the ARN is malformed"))

        with pytest.raises(DeployFailed, match="the ARN is malformed"):
            scripted.platform.start_deployment(service, "")

    def test_start_whose_response_was_lost_is_not_repeated(self, scripted: ScriptedAppRunner, service: Service) -> None:
        scripted.answer("StartDeployment", Reply(breaks=True))

        assert scripted.platform.start_deployment(service, "") == ""
        assert scripted.asked("StartDeployment") == [{"ServiceArn": service.id}]

    def test_start_fails_when_the_service_was_deleted_meanwhile(
        self, scripted: ScriptedAppRunner, service: Service
    ) -> None:
        scripted.answer("StartDeployment", _error("ResourceNotFoundException", "gone"))

        with pytest.raises(NotFound, match="gone"):
            scripted.platform.start_deployment(service, "")


def test_queued_operation_starts_now(scripted: ScriptedAppRunner) -> None:
    scripted.answer("ListServices", _page("web-service"))
    scripted.answer("DescribeService", _described("web-service"))
    waiting = {"Id": "1", "Type": "START_DEPLOYMENT", "Status": "PENDING"}
    scripted.answer("ListOperations", _json({"OperationSummaryList": [waiting]}))
    before = time.time()

    (operation,) = scripted.platform.list_operations(scripted.platform.get_service("web-service"))

    assert operation.started_at.timestamp() >= before
    assert not operation.is_finished


def _operation(request: Request) -> str:
    return request.headers["X-Amz-Target"].partition(".")[2]


def _page(name: str, *, more: str = "", status: str = "RUNNING", generation: int = 1) -> Reply:
    summary = {"ServiceName": name, "ServiceArn": _arn(name, generation=generation), "Status": status}
    return _json({"ServiceSummaryList": [summary]} | ({"NextToken": more} if more else {}))


def _described(
    name: str, *, status: str = "RUNNING", generation: int = 1, image: str = "registry.example/web:latest"
) -> Reply:
    source = {"ImageRepository": {"ImageIdentifier": image, "ImageRepositoryType": "ECR"}} if image else {}
    service = {
        "ServiceName": name,
        "ServiceArn": _arn(name, generation=generation),
        "Status": status,
        "ServiceUrl": f"{name}.eu-west-1.awsapprunner.com",
        "SourceConfiguration": source,
    }
    return _json({"Service": service})


def _arn(name: str, *, generation: int = 1) -> str:
    return f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/{name}/{generation:032x}"


def _error(code: str, message: str) -> Reply:
    return Reply(status=400, body=json.dumps({"__type": code, "message": message}).encode())


def _json(document: object) -> Reply:
    return Reply(body=json.dumps(document).encode())
