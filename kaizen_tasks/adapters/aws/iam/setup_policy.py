"""The permissions that `inv setup` itself needs, with `--create` too; whoever only releases does not need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.iam import policy as iam_policy

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.iam.policy import Document
    from kaizen_tasks.config.settings import Settings

ACCOUNT_ACTIONS = (
    *("apprunner:ListServices", "ecr:GetAccountSetting", "ecr:GetAuthorizationToken", "ecr:PutAccountSetting"),
)
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

KEY_ACTIONS = (*("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"),)
ENCRYPTING_SERVICES = ("dynamodb", "ecr")
PASSED_TO = ("build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com")
"""Who may use the two roles of a service: https://docs.aws.amazon.com/apprunner/latest/dg/security_iam_service-with-iam.html."""


def setup_policy_document(settings: Settings, *, account: str, table: str) -> Document:
    """Return the least permissions for `inv setup` as an IAM policy document; without a table, in another account."""
    partition, environments = iam_policy.partition(settings.aws.region), settings.environments.values()

    def arn(service: str, resource: str, region: str = settings.aws.region) -> str:
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    def allow(name: str, actions: tuple[str, ...], *resources: str) -> Document:
        statement = {"Action": list(actions), "Resource": list(dict.fromkeys(resources))}
        return {"Sid": f"KaizenSetup{name}", "Effect": "Allow", **statement}

    roles = f"arn:{partition}:iam::{account}:role"
    linked_role = f"{roles}/aws-service-role/apprunner.amazonaws.com/AWSServiceRoleForAppRunner"
    services = [arn("apprunner", f"service/{each.service}/*", each.target.region) for each in environments]
    shared = [
        arn("apprunner", f"{kind}/*", region)
        for region in iam_policy.used_regions(settings)
        for kind in SHARED_RESOURCES
    ]
    statements = [
        allow("Account", ACCOUNT_ACTIONS, "*"),
        *([allow("Ledger", TABLE_ACTIONS, arn("dynamodb", f"table/{table}"))] if table else ()),
        allow(
            "Repositories",
            REPOSITORY_ACTIONS,
            *(arn("ecr", f"repository/{each.repository}", each.target.region) for each in environments),
        ),
        allow("Services", SERVICE_ACTIONS, *services, *shared),
        allow(
            "Secrets",
            ("secretsmanager:DescribeSecret",),
            *(arn("secretsmanager", f"secret:{each.secret}-??????", each.target.region) for each in environments),
        ),
        allow("Roles", ("iam:PassRole",), f"{roles}/*")
        | {"Condition": {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}},
        allow("LinkedRole", ("iam:CreateServiceLinkedRole",), linked_role)
        | {"Condition": {"StringEquals": {"iam:AWSServiceName": "apprunner.amazonaws.com"}}},
        iam_policy.render_key_statement(settings, account, KEY_ACTIONS, ENCRYPTING_SERVICES),
    ]
    return {"Version": "2012-10-17", "Statement": statements}
