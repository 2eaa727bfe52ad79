from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kaizen_tasks.adapters.aws.migration import ecs_requests
from kaizen_tasks.domain.migration.plan import Choices, define_service
from tests.domain.migration.samples import EXPRESS, FULL_SOURCE, IMAGE, PLAIN, PLAIN_SOURCE, SECRET_ARN

if TYPE_CHECKING:
    from kaizen_tasks.domain.migration.source import SourceService

SOURCES = pytest.mark.parametrize("source", [PLAIN_SOURCE, FULL_SOURCE], ids=["console", "full"])
CHOICES = Choices(subnets=("subnet-p", "subnet-q"), target_group="arn:aws:elasticloadbalancing:eu-west-1:1:tg/x/1")


def _require_valid(operation: str, request: dict[str, Any]) -> None:
    """Check a request by the model that AWS publishes for its SDKs."""
    shape = botocore.session.get_session().get_service_model("ecs").operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


@SOURCES
def test_the_request_for_an_express_service_is_valid(source: SourceService) -> None:
    definition = define_service(source, EXPRESS, CHOICES, app="coach", image=IMAGE, version_path="/version")

    request = ecs_requests.express_request(definition)

    _require_valid("CreateExpressGatewayService", request)
    assert request["primaryContainer"]["image"] == IMAGE
    assert {"name": "PORT", "value": str(source.port)} in request["primaryContainer"]["environment"]
    assert {"key": "kaizen-tasks:migration", "value": "coach/mark"} in request["tags"]


@SOURCES
def test_the_requests_for_a_service_on_fargate_are_valid(source: SourceService) -> None:
    definition = define_service(source, PLAIN, CHOICES, app="coach", image=IMAGE, version_path="/version")

    registration = ecs_requests.task_definition_request(definition, region="eu-west-1")
    creation = ecs_requests.service_request(definition, "arn:task-definition")

    _require_valid("RegisterTaskDefinition", registration)
    _require_valid("CreateService", creation)
    assert creation["deploymentConfiguration"] == {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    assert creation["loadBalancers"][0]["containerName"] == registration["containerDefinitions"][0]["name"]


def test_secrets_are_references_and_variables_are_values() -> None:
    definition = define_service(PLAIN_SOURCE, EXPRESS, Choices(), app="coach", image=IMAGE, version_path="/version")

    container = ecs_requests.express_request(definition)["primaryContainer"]

    assert container["secrets"] == [{"name": "AI_MODEL", "valueFrom": f"{SECRET_ARN}:AI_MODEL::"}]
    assert {"name": "LICENCE", "value": "value-of-a-variable"} in container["environment"]
    assert "networkConfiguration" not in ecs_requests.express_request(definition)
