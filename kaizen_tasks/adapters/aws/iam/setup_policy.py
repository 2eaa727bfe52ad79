"""The permissions that `inv setup` itself needs, with `--create` too; whoever only releases does not need them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.iam import policy as iam_policy

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.iam.policy import Document
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment

ACCOUNT_ACTIONS = ("ecr:GetAccountSetting", "ecr:GetAuthorizationToken", "ecr:PutAccountSetting")
APP_RUNNER_ACTIONS = ("apprunner:ListServices",)
TABLE_ACTIONS = (
    *("dynamodb:CreateTable", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable"),
    "dynamodb:UpdateContinuousBackups",
)
REPOSITORY_ACTIONS = (
    *("ecr:BatchGetImage", "ecr:CreateRepository", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"),
    *("ecr:GetLifecyclePolicy", "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy"),
)
SERVICE_ACTIONS = (
    *("apprunner:CreateService", "apprunner:DeleteService", "apprunner:DescribeService"),
    "apprunner:ListOperations",
)
SHARED_RESOURCES = ("autoscalingconfiguration", "observabilityconfiguration", "vpcconnector")
"""What a new service may share with its neighbour."""

ECS_SERVICE_ACTIONS = (*("ecs:CreateService", "ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:TagResource"),)
EXPRESS_ACTIONS = ("ecs:CreateExpressGatewayService", "ecs:DescribeExpressGatewayService")
ECS_ACTIONS = ("ecs:DescribeTaskDefinition", "ecs:ListServices", "ecs:RegisterTaskDefinition")
"""What has no resource that a policy could name in advance."""

KEY_ACTIONS = (*("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"),)
ENCRYPTING_SERVICES = ("dynamodb", "ecr")
PASSED_TO: Mapping[str, tuple[str, ...]] = {
    "apprunner": ("build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"),
    "ecs": ("ecs-tasks.amazonaws.com",),
    "ecs-express": ("ecs-tasks.amazonaws.com", "ecs.amazonaws.com"),
}
"""Who may use the roles of a service, by platform:
https://docs.aws.amazon.com/apprunner/latest/dg/security_iam_service-with-iam.html."""

LINKED_ROLES: Mapping[str, tuple[str, str]] = {
    "apprunner": ("apprunner.amazonaws.com", "AWSServiceRoleForAppRunner"),
    "ecs": ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
}
"""Who has a role of its own in an account, and what the role is called."""


def setup_policy_document(settings: Settings, *, account: str, table: str) -> Document:
    """Return the least permissions for `inv setup` as an IAM policy document; without a table, in another account."""
    partition, environments = iam_policy.partition(settings.aws.region), settings.environments.values()

    def arn(service: str, resource: str, region: str = settings.aws.region) -> str:
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    def allow(name: str, actions: tuple[str, ...], *resources: str) -> Document:
        statement = {"Action": list(actions), "Resource": list(dict.fromkeys(resources))}
        return {"Sid": f"KaizenSetup{name}", "Effect": "Allow", **statement}

    roles = f"arn:{partition}:iam::{account}:role"
    on_app_runner = [each for each in environments if each.follows_tag]
    in_cluster = [each for each in environments if each.kind.has_cluster]
    account_actions = (
        *ACCOUNT_ACTIONS,
        *(APP_RUNNER_ACTIONS if on_app_runner else ()),
        *(ECS_ACTIONS if in_cluster else ()),
    )
    statements = [
        allow("Account", tuple(sorted(account_actions)), "*"),
        *([allow("Ledger", TABLE_ACTIONS, arn("dynamodb", f"table/{table}"))] if table else ()),
        allow(
            "Repositories",
            REPOSITORY_ACTIONS,
            *(arn("ecr", f"repository/{each.repository}", each.target.region) for each in environments),
        ),
        *_service_statements(on_app_runner, in_cluster, arn, allow),
        allow(
            "Secrets",
            ("secretsmanager:DescribeSecret",),
            *(arn("secretsmanager", f"secret:{each.secret}-??????", each.target.region) for each in environments),
        ),
        *_role_statements(environments, roles, allow),
        iam_policy.render_key_statement(settings, account, KEY_ACTIONS, ENCRYPTING_SERVICES),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _role_statements(
    environments: Collection[Environment], roles: str, allow: Callable[..., Document]
) -> Iterator[Document]:
    """Yield what passes roles to the services of AWS that use them, and creates the roles that they have themselves."""
    platforms = dict.fromkeys(each.platform for each in environments)
    passed_to = dict.fromkeys(name for platform in platforms for name in PASSED_TO[platform])
    linked = dict.fromkeys(LINKED_ROLES["apprunner" if each.follows_tag else "ecs"] for each in environments)
    if not platforms:
        return
    yield allow("Roles", ("iam:PassRole",), f"{roles}/*") | {
        "Condition": {"StringEquals": {"iam:PassedToService": list(passed_to)}}
    }
    names = [service for service, _ in linked]
    resources = (f"{roles}/aws-service-role/{service}/{name}" for service, name in linked)
    yield allow("LinkedRole", ("iam:CreateServiceLinkedRole",), *resources) | {
        "Condition": {"StringEquals": {"iam:AWSServiceName": names[0] if len(names) == 1 else names}}
    }


def _service_statements(
    on_app_runner: Sequence[Environment],
    in_cluster: Sequence[Environment],
    arn: Callable[..., str],
    allow: Callable[..., Document],
) -> Iterator[Document]:
    """Yield what creates services like their neighbours, on each platform."""
    if on_app_runner:
        services = [arn("apprunner", f"service/{each.service}/*", each.target.region) for each in on_app_runner]
        regions = dict.fromkeys(each.target.region for each in on_app_runner)
        shared = [arn("apprunner", f"{kind}/*", region) for region in regions for kind in SHARED_RESOURCES]
        yield allow("Services", SERVICE_ACTIONS, *services, *shared)
    if in_cluster:
        is_express = any(each.platform == "ecs-express" for each in in_cluster)
        services = [arn("ecs", f"service/{each.cluster}/{each.service}", each.target.region) for each in in_cluster]
        definitions = [arn("ecs", "task-definition/*:*", each.target.region) for each in in_cluster]
        actions = (*ECS_SERVICE_ACTIONS, *(EXPRESS_ACTIONS if is_express else ()))
        yield allow("EcsServices", actions, *services, *definitions)
