"""The policy that `setup --print-iam` prints."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from kaizen_tasks.adapters.aws.iam_policy import (
    TASK_ACTIONS,
    applicable_tasks,
    policy_document,
    statements,
    trust_policy,
)
from tests.fakes.tools import settings

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


def policy(**changes: object) -> dict[str, dict[str, Any]]:
    """Return the statements by name."""
    written = policy_document(settings(**changes), account="123456789012", table="kaizen-web")
    assert written == json.loads(json.dumps(written))
    assert written["Version"] == "2012-10-17"
    return {each["Sid"]: each for each in cast("list[dict[str, Any]]", written["Statement"])}


def test_allows_every_action_that_a_task_needs_and_no_other() -> None:
    """Doctor checks the same table of actions."""
    allowed = {action for each in policy().values() for action in each["Action"]}

    assert allowed == {action for needs in TASK_ACTIONS.values() for actions in needs.values() for action in actions}
    assert not [action for action in allowed if "*" in action or action.startswith(("sts:", "iam:"))]


def test_limits_everything_to_what_is_configured() -> None:
    """Only the identifiers of services, which App Runner chooses, are wildcards."""
    found = policy()

    assert found["KaizenRepositories"]["Resource"] == [
        ARN.format("ecr", f"repository/{name}-web-app") for name in ("staging", "prod", "mark", "shane", "dom")
    ]
    assert ARN.format("apprunner", "service/prod-web-service/*") in found["KaizenServices"]["Resource"]
    assert found["KaizenLedger"]["Resource"] == [ARN.format("dynamodb", "table/kaizen-web")]
    everywhere = {action for each in found.values() if each["Resource"] == ["*"] for action in each["Action"]}
    assert everywhere == {"apprunner:ListServices", "ecr:GetAccountSetting", "ecr:GetAuthorizationToken"}


def test_allows_secrets_only_where_something_can_be_set() -> None:
    """Only the last six characters, which Secrets Manager chooses, are wildcards."""
    secrets = policy()["KaizenSecrets"]

    assert ARN.format("secretsmanager", "secret:prod-web-app-secrets-??????") in secrets["Resource"]
    assert len(secrets["Resource"]) == 5
    assert "KaizenSecrets" not in policy(runtime={})
    assert "runtime" not in applicable_tasks(settings(runtime={}))


def test_ledger_entries_cannot_be_deleted_or_changed() -> None:
    """Only locks are updated, and only holds are deleted."""
    found = policy()

    keys = {sid: each["Condition"]["ForAllValues:StringLike"] for sid, each in found.items() if "Condition" in each}
    assert keys == {
        "KaizenLocks": {"dynamodb:LeadingKeys": ["lock#*"]},
        "KaizenHolds": {"dynamodb:LeadingKeys": ["hold#*"]},
    }
    assert not {"dynamodb:DeleteItem", "dynamodb:UpdateItem"} & {*found["KaizenLedger"]["Action"]}


def test_resources_name_services_with_known_ids() -> None:
    """A policy may name a service's identifier, so the simulation must use it too."""
    found = statements(settings(), account="123456789012", table="t", service_ids={"prod-web-service": "8fe1"})

    resources = {resource for each in found for resource in each.resources}
    assert ARN.format("apprunner", "service/prod-web-service/8fe1") in resources
    assert ARN.format("apprunner", "service/dom-web-service/*") in resources


@pytest.mark.parametrize(
    ("region", "begin"),
    [("eu-west-1", "arn:aws:"), ("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:")],
)
def test_arns_have_the_partition_of_the_region(region: str, begin: str) -> None:
    """China and GovCloud are separate partitions."""
    found = policy(aws={"region": region, "account": "123456789012"})

    resources = [resource for each in found.values() for resource in each["Resource"] if resource != "*"]
    assert all(resource.startswith(begin) and f":{region}:" in resource for resource in resources)


def test_trust_policy_allows_release_branches_and_protected_environments() -> None:
    """Other repositories, branches, pull requests and environments are not trusted."""
    found = trust_policy(settings(), account="123456789012", repository="ada/web")

    (statement,) = cast("list[dict[str, Any]]", found["Statement"])
    assert statement["Principal"] == {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    }
    assert statement["Condition"] == {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        "StringLike": {
            "token.actions.githubusercontent.com:sub": [
                "repo:ada/web:ref:refs/heads/main",
                "repo:ada/web:environment:production",
            ]
        },
    }
