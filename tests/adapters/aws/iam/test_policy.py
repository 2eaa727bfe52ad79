"""The policy that `setup --print-iam` prints."""

from __future__ import annotations

import fnmatch
import functools
import json
from typing import Any, cast

import botocore.session
import pytest

from kaizen_tasks.adapters.aws.iam.actions import task_actions
from kaizen_tasks.adapters.aws.iam.policy import (
    NOT_ENFORCED,
    policy_document,
    statements,
    trust_policy,
)
from kaizen_tasks.adapters.aws.iam.setup_policy import setup_policy_document
from kaizen_tasks.domain.init.ci.trust import trust_github
from tests.fakes.tools import settings

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


def policy(**changes: object) -> dict[str, dict[str, Any]]:
    """Return the statements by name."""
    written = policy_document(settings(**changes), account="123456789012", table="kaizen-web")
    assert written == json.loads(json.dumps(written))
    assert written["Version"] == "2012-10-17"
    return {each["Sid"]: each for each in cast("list[dict[str, Any]]", written["Statement"])}


def test_allows_every_action_that_a_task_needs_and_no_other() -> None:
    """Doctor checks the same table of actions; keys of the account's own are used by services only."""
    allowed = {action for each in policy().values() if each["Effect"] == "Allow" for action in each["Action"]}

    needed = {action for needs in task_actions(settings()).values() for actions in needs.values() for action in actions}
    assert allowed == needed | {"kms:Decrypt", "kms:GenerateDataKey"}
    assert not [action for action in allowed if "*" in action or action.startswith(("sts:", "iam:"))]


@functools.cache
def _operations(service: str) -> frozenset[str]:
    """Return the operations of a service, as botocore knows it."""
    return frozenset(botocore.session.Session().get_service_model(service).operation_names)


def _is_operation(action: str) -> bool:
    """Return whether an IAM action is an operation of its service."""
    service, _, operation = action.partition(":")
    return operation in _operations(service)


def test_every_action_is_an_operation_of_its_service() -> None:
    """PartiQL statements have actions of their own, and passing a role is none: both are documented by AWS."""
    setup_policy = setup_policy_document(settings(), account="123456789012", table="kaizen-web")
    documents = [*policy().values(), *cast("list[dict[str, Any]]", setup_policy["Statement"])]
    actions = {action for each in documents for action in each["Action"]}

    assert {action for action in actions if not _is_operation(action)} == {
        *("dynamodb:PartiQLDelete", "dynamodb:PartiQLUpdate", "iam:PassRole")
    }


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
    assert "runtime" not in task_actions(settings(runtime={}))


def test_secrets_of_messages_are_read_by_name_and_only_where_they_are() -> None:
    notify = [{"webhook_secret": "kaizen/slack"}, {"webhook_secret": "kaizen/hook", "signing_secret": "kaizen/key"}]

    statement = policy(notify=notify)["KaizenMessageSecrets"]

    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    assert statement["Resource"] == [
        ARN.format("secretsmanager", f"secret:kaizen/{name}-??????") for name in ("slack", "hook", "key")
    ]
    assert "KaizenMessageSecrets" not in policy(notify=[{"webhook": "https://deploys.web.example/hook"}])
    elsewhere = policy_document(settings(notify=notify), account="123456789012", table="")
    assert "KaizenMessageSecrets" not in json.dumps(elsewhere)


def _allows(documents: list[dict[str, Any]], action: str, key: str | None) -> bool:
    """Evaluate the statements about the table for one request, as IAM does; its condition operators are those used."""
    effects = {each["Effect"] for each in documents if action in each["Action"] and _matches(each, key)}
    return effects == {"Allow"}


def _matches(statement: dict[str, Any], key: str | None) -> bool:
    keys = [] if key is None else [key]
    for operator, operands in statement.get("Condition", {}).items():
        patterns = operands["dynamodb:LeadingKeys"]
        found = [any(fnmatch.fnmatchcase(each, pattern) for pattern in patterns) for each in keys]
        match operator:
            case "ForAllValues:StringLike" if not all(found):
                return False
            case "ForAnyValue:StringLike" if not any(found):
                return False
            case "Null" if not keys:
                return False
    return True


EVERYTHING = {
    "Effect": "Allow",
    "Action": [f"dynamodb:{name}" for name in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "DeleteTable")],
}


@pytest.mark.parametrize(
    ("action", "key", "allowed"),
    [
        ("PutItem", "ledger#prod", True),
        ("UpdateItem", "lock#prod", True),
        ("PutItem", "hold#prod", True),
        ("DeleteItem", "hold#prod", True),
        ("UpdateItem", "ledger#prod", False),
        ("DeleteItem", "ledger#prod", False),
        ("BatchWriteItem", "ledger#prod", False),
        ("PutItem", "lock#prod", False),
        ("DeleteItem", "lock#prod", False),
        ("PutItem", "other#prod", False),
        ("PutItem", None, False),
        ("DeleteTable", None, False),
    ],
)
def test_ledger_grows_and_is_not_rewritten(action: str, key: str | None, *, allowed: bool) -> None:
    """IAM cannot require that an entry is new, which is said when the policy is printed."""
    assert _allows([*policy().values()], f"dynamodb:{action}", key) is allowed
    assert "attribute_not_exists" in NOT_ENFORCED


@pytest.mark.parametrize("action", ["UpdateItem", "DeleteItem", "BatchWriteItem"])
def test_other_policies_do_not_allow_to_rewrite_the_ledger(action: str) -> None:
    documents = [*policy().values(), EVERYTHING]

    assert not _allows(documents, f"dynamodb:{action}", "ledger#prod")
    assert _allows(documents, f"dynamodb:{action}", "other#prod")
    assert not _allows(documents, "dynamodb:DeleteTable", None)


@pytest.mark.parametrize(
    ("region", "host"),
    [("eu-west-1", "dynamodb.eu-west-1.amazonaws.com"), ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn")],
)
def test_keys_are_used_only_on_behalf_of_the_caller(region: str, host: str) -> None:
    keys = policy(aws={"region": region, "account": "123456789012"})["KaizenKeys"]

    assert host in keys["Condition"]["StringEquals"]["kms:ViaService"]
    assert keys["Condition"]["StringEquals"]["kms:CallerAccount"] == "123456789012"


def test_setup_may_create_what_it_creates_and_pass_roles_to_app_runner_alone() -> None:
    document = setup_policy_document(settings(), account="123456789012", table="kaizen-web")
    found = {each["Sid"]: each for each in cast("list[dict[str, Any]]", document["Statement"])}

    assert ARN.format("ecr", "repository/mark-web-app") in found["KaizenSetupRepositories"]["Resource"]
    assert "apprunner:CreateService" in found["KaizenSetupServices"]["Action"]
    assert found["KaizenSetupRoles"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"]}
    }
    assert [sid for sid, each in found.items() if each["Resource"] == ["*"]] == ["KaizenSetupAccount"]


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
    jobs = trust_github("ada@12/web@34")
    assert jobs is not None
    found = trust_policy(settings(), account="123456789012", jobs=jobs)

    (statement,) = cast("list[dict[str, Any]]", found["Statement"])
    assert statement["Principal"] == {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    }
    assert statement["Condition"] == {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        "StringLike": {
            "token.actions.githubusercontent.com:sub": [
                "repo:ada@12/web@34:ref:refs/heads/main",
                "repo:ada@12/web@34:environment:production",
            ]
        },
    }


def on(platform: str, **changes: object) -> dict[str, dict[str, Any]]:
    """Return the statements for environments on a platform, by name."""
    defaults = {"platform": platform, "cluster": "shop", "url": "https://{env}.web.example"}
    return policy(defaults=defaults, **changes)


def actions(documents: dict[str, dict[str, Any]]) -> set[str]:
    return {action for each in documents.values() if each["Effect"] == "Allow" for action in each["Action"]}


def test_each_platform_gets_what_it_needs_and_no_more() -> None:
    app_runner, plain, express = (actions(on(name)) for name in ("apprunner", "ecs", "ecs-express"))

    assert not [action for action in app_runner if action.startswith(("ecs:", "iam:"))]
    assert not [action for action in plain | express if action.startswith("apprunner:")]
    assert express - plain == {"ecs:DescribeExpressGatewayService", "ecs:UpdateExpressGatewayService"}
    assert plain - app_runner == {
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListServiceDeployments",
        "ecs:ListServices",
        "ecs:ListTasks",
        "ecs:RegisterTaskDefinition",
        "ecs:StopServiceDeployment",
        "ecs:TagResource",
        "ecs:UpdateService",
        "iam:GetRole",
        "iam:PassRole",
    }


def test_a_deployment_to_ecs_is_limited_to_its_services_and_roles_to_tasks() -> None:
    found = on("ecs-express")

    assert ARN.format("ecs", "service/shop/prod-web-service") in found["KaizenEcsServices"]["Resource"]
    assert ARN.format("ecs", "service-deployment/shop/prod-web-service/*") in found["KaizenEcsDeployments"]["Resource"]
    assert found["KaizenPassedRoles"]["Resource"] == ["arn:aws:iam::123456789012:role/*"]
    assert found["KaizenPassedRoles"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }


def test_commands_may_run_in_the_configured_clusters_where_some_are_configured() -> None:
    command = {"name": "migrate", "command": ["true"]}
    found = on("ecs", before_deploy=[command])

    assert found["KaizenEcsRunTask"]["Action"] == ["ecs:RunTask"]
    assert found["KaizenEcsRunTask"]["Condition"] == {"ArnEquals": {"ecs:cluster": [ARN.format("ecs", "cluster/shop")]}}
    assert "ecs:StopTask" in found["KaizenEcsTasks"]["Action"]
    assert "KaizenEcsRunTask" not in on("ecs")


def test_every_action_of_ecs_is_an_operation() -> None:
    found = on("ecs-express", before_deploy=[{"name": "migrate", "command": ["true"]}])
    document = setup_policy_document(
        settings(defaults={"platform": "ecs-express"}), account="123456789012", table="kaizen-web"
    )
    all_actions = actions(found) | {
        action for each in cast("list[dict[str, Any]]", document["Statement"]) for action in each["Action"]
    }
    assert {action for action in all_actions if not _is_operation(action)} == {"iam:PassRole"}


def test_roles_that_are_known_are_named() -> None:
    configured = settings(defaults={"platform": "ecs", "url": "https://{env}.web.example"})
    role = "arn:aws:iam::123456789012:role/web"
    found = {
        str(each.sid): each.resources
        for each in statements(configured, account="123456789012", table="t", passed_roles=(role,))
    }
    assert found["KaizenPassedRoles"] == (role,)
    unknown = statements(configured, account="123456789012", table="t", passed_roles=())
    assert "KaizenPassedRoles" not in [each.sid for each in unknown]


NOTIFY = [{"webhook_secret": "kaizen/hook", "name": "team"}]
KEYS = "dynamodb:LeadingKeys"


def test_messages_need_the_outbox() -> None:
    found = policy(notify=NOTIFY)

    assert found["KaizenOutbox"]["Action"] == ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    assert found["KaizenOutbox"]["Condition"]["ForAllValues:StringLike"] == {KEYS: ["outbox*"]}


def test_entries_and_holds_may_be_written_with_notifications_in_one_request() -> None:
    found = policy(notify=NOTIFY)

    keys = {
        "KaizenLedgerAppend": ["ledger#*", "outbox*"],
        "KaizenLocks": ["lock#*"],
        "KaizenHolds": ["hold#*", "outbox*"],
    }
    assert {sid: found[sid]["Condition"]["ForAllValues:StringLike"][KEYS] for sid in keys} == keys


def test_app_without_messages_needs_nothing_for_them() -> None:
    found = policy()

    assert "KaizenOutbox" not in found
    assert found["KaizenLedgerAppend"]["Condition"]["ForAllValues:StringLike"] == {KEYS: ["ledger#*"]}


def test_account_without_the_table_needs_nothing_for_messages() -> None:
    found = statements(settings(notify=NOTIFY), account="123456789012", table="")

    assert "KaizenOutbox" not in {each.sid for each in found}
