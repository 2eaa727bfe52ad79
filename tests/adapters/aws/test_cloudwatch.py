"""CloudWatch Logs, on the local cloud and from scripted responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.cloudwatch import CloudWatchLogs
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import Denied
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.logs import LogsContract
from tests.localcloud.layers import Pushed
from tests.support.scripted_server import Reply, Request, ScriptedServer
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

DYING = "for number in range(30): print('line', number)\nraise SystemExit(3)"
BEGAN = datetime(2026, 11, 20, 12, tzinfo=UTC)


@frozen
class CloudDesk:
    logs: CloudWatchLogs
    service: Service
    operation: str


@pytest.fixture(scope="module")
def operation(cloud: Cloud) -> str:
    """Create a service whose app exits at once; return the operation."""
    images, client = Pushed(cloud.client("ecr")), cloud.client("apprunner")
    images.repository("dying")
    images.app("dying", "v1", script=DYING)
    image = {"ImageIdentifier": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/dying:latest"}
    created = client.create_service(
        ServiceName="dying-service",
        SourceConfiguration={
            "AuthenticationConfiguration": {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/pulls"},
            "ImageRepository": {**image, "ImageRepositoryType": "ECR"},
        },
    )
    arn = created["Service"]["ServiceArn"]
    wait_for(lambda: client.describe_service(ServiceArn=arn)["Service"]["Status"] == "CREATE_FAILED")
    return str(created["OperationId"])


class TestCloudWatch(LogsContract):
    @pytest.fixture
    def desk(self, operation: str, aws: Aws) -> CloudDesk:
        return CloudDesk(CloudWatchLogs(aws), AppRunnerPlatform(aws).get_service("dying-service"), operation)


def _operation(request: Request) -> str:
    return request.headers["X-Amz-Target"].partition(".")[2]


@pytest.fixture
def scripted(
    credentials: None,  # noqa: ARG001 - it sets them
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ScriptedServer]:
    """A scripted CloudWatch."""
    with ScriptedServer(question=_operation) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", server.url)
        yield server


@pytest.fixture
def desk(scripted: ScriptedServer) -> CloudDesk:  # noqa: ARG001 - it must run first
    """The logs of a service, from scripted responses."""
    identity = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/web/8fe1e10304f84fd2b0df550fe98a71fa"
    service = Service(name="web", id=identity, status=ServiceStatus.RUNNING, native_status="RUNNING", url="", image="")
    return CloudDesk(CloudWatchLogs(Aws(region=REGION, profile="", account=ACCOUNT)), service, "6c7e1a00-0001")


def test_tails_read_the_groups_and_streams_of_app_runner(scripted: ScriptedServer, desk: CloudDesk) -> None:
    scripted.script["GetLogEvents"] = [_json({"events": [{"message": "the end"}]})]

    assert desk.logs.deployment_tail(desk.service, desk.operation, limit=7) == ("the end",)

    (asked,) = [json.loads(each.body) for each in scripted.requests]
    assert asked == {
        "logGroupName": "/aws/apprunner/web/8fe1e10304f84fd2b0df550fe98a71fa/service",
        "logStreamName": "deployment/6c7e1a000001",
        "limit": 7,
        "startFromHead": False,
    }


def test_application_tail_is_that_of_the_newest_instance(scripted: ScriptedServer, desk: CloudDesk) -> None:
    """The old release keeps logging requests while the new one fails."""
    at = int(BEGAN.timestamp() * 1000)
    scripted.script["DescribeLogStreams"] = [
        _json(
            {
                "logStreams": [
                    {"logStreamName": "instance/old", "creationTime": at - 86_400_000, "lastEventTimestamp": at + 9},
                    {"logStreamName": "instance/first", "creationTime": at + 1000},
                    {"logStreamName": "instance/second", "creationTime": at + 2000},
                ]
            }
        )
    ]
    scripted.script["GetLogEvents"] = [_json({"events": [{"message": "KeyError"}]})]

    assert desk.logs.application_tail(desk.service, since=BEGAN, limit=5) == ("KeyError",)

    assert json.loads(scripted.asked("GetLogEvents")[0].body)["logStreamName"] == "instance/second"


def test_missing_permission_is_denied(scripted: ScriptedServer, desk: CloudDesk) -> None:
    refused = json.dumps({"__type": "AccessDeniedException", "message": "not authorized to perform: logs:GetLogEvents"})
    scripted.script["GetLogEvents"] = [Reply(status=400, body=refused.encode())]

    with pytest.raises(Denied, match="logs:GetLogEvents"):
        desk.logs.deployment_tail(desk.service, desk.operation, limit=5)


def _json(document: object) -> Reply:
    return Reply(body=json.dumps(document).encode(), headers={"Content-Type": "application/x-amz-json-1.1"})
