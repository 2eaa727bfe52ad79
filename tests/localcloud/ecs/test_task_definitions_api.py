"""ECS's task definitions by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.ecs.samples import fargate
from tests.support.local_cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"


@pytest.fixture(scope="module")
def ecs(cloud: Cloud) -> Any:
    return cloud.client("ecs")


def refusal(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "ClientException"
    return str(caught.value.response["Error"]["Message"])


def test_each_registration_is_a_revision(ecs: Any) -> None:
    tags = [{"key": "team", "value": "web"}]
    first = ecs.register_task_definition(**fargate(family="revisions", tags=tags))
    second = ecs.register_task_definition(**fargate(family="revisions"))["taskDefinition"]

    assert (first["taskDefinition"]["revision"], first["tags"]) == (1, tags)
    assert (second["revision"], second["taskDefinitionArn"]) == (2, f"{PREFIX}/revisions:2")
    assert second["registeredBy"] == f"arn:aws:iam::{ACCOUNT}:root"
    for reference in ("revisions", "revisions:2", f"{PREFIX}/revisions:2"):
        assert ecs.describe_task_definition(taskDefinition=reference)["taskDefinition"] == second
    described = ecs.describe_task_definition(taskDefinition="revisions:1", include=["TAGS"])
    assert (described["tags"], described["taskDefinition"]) == (tags, first["taskDefinition"])


def test_description_without_read_only_members_is_a_request(ecs: Any) -> None:
    registered = ecs.register_task_definition(**fargate(family="again"))["taskDefinition"]
    model = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape
    request = {name: value for name, value in registered.items() if name in model.members}

    again = ecs.register_task_definition(**request)["taskDefinition"]

    changed = {"revision", "taskDefinitionArn", "registeredAt"}
    assert {name for name in registered if registered[name] != again[name]} == changed


def test_unknown_task_definition_is_a_client_exception(ecs: Any) -> None:
    for reference in ("absent", "absent:1", f"{PREFIX}/absent:1"):
        message = refusal(ecs.describe_task_definition, taskDefinition=reference)
        assert message == "Unable to describe task definition."


def test_deregistered_revision_stays_visible_and_gives_way_to_the_one_before(ecs: Any) -> None:
    for _ in range(2):
        ecs.register_task_definition(**fargate(family="retired"))

    answer = ecs.deregister_task_definition(taskDefinition="retired:2")["taskDefinition"]

    assert (answer["status"], "deregisteredAt" in answer) == ("INACTIVE", True)
    assert ecs.describe_task_definition(taskDefinition="retired")["taskDefinition"]["revision"] == 1
    assert ecs.describe_task_definition(taskDefinition="retired:2")["taskDefinition"]["status"] == "INACTIVE"
    assert refusal(ecs.deregister_task_definition, taskDefinition="retired").startswith("Invalid revision number")


def test_deleted_revision_frees_no_number(ecs: Any) -> None:
    ecs.register_task_definition(**fargate(family="deleted"))
    active = ecs.delete_task_definitions(taskDefinitions=["deleted:1", "deleted:9"])
    ecs.deregister_task_definition(taskDefinition="deleted:1")

    deleted = ecs.delete_task_definitions(taskDefinitions=["deleted:1"])

    reasons = [failure["reason"] for failure in active["failures"]]
    assert "still in ACTIVE status" in reasons[0]
    assert reasons[1:] == ["The specified task definition does not exist."]
    assert [known["status"] for known in deleted["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert ecs.list_task_definition_families(familyPrefix="deleted")["families"] == []
    assert ecs.register_task_definition(**fargate(family="deleted"))["taskDefinition"]["revision"] == 2


def test_lists_by_family_status_and_order(ecs: Any) -> None:
    for family in ("listed", "listed", "listed-too"):
        ecs.register_task_definition(**fargate(family=family))
    ecs.deregister_task_definition(taskDefinition="listed-too:1")

    def arns(**request: Any) -> list[str]:
        found: list[str] = ecs.list_task_definitions(**request)["taskDefinitionArns"]
        return [arn.removeprefix(f"{PREFIX}/") for arn in found]

    assert arns(familyPrefix="listed", sort="DESC") == ["listed:2", "listed:1"]
    assert arns(familyPrefix="listed-too") == []
    assert arns(familyPrefix="listed-too", status="INACTIVE") == ["listed-too:1"]
    families = ecs.get_paginator("list_task_definition_families")
    for status, expected in (("ALL", ["listed", "listed-too"]), ("ACTIVE", ["listed"]), ("INACTIVE", ["listed-too"])):
        pages = families.paginate(familyPrefix="listed", status=status, PaginationConfig={"PageSize": 1})
        assert [family for page in pages for family in page["families"]] == expected


def test_the_model_is_checked_first(ecs: Any) -> None:
    with pytest.raises(ClientError, match="enum value set") as caught:
        ecs.register_task_definition(**fargate(family="modelled", networkMode="elsewhere"))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
