"""What the tasks need to be allowed: the one table behind the printed policy and behind doctor's questions.

Actions and the resources that they can be limited to are those of the Service Authorization Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init.workflows import gate_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.settings import Settings

GITHUB = "token.actions.githubusercontent.com"
Document = dict[str, object]  # JSON, on its way out


class Kind(StrEnum):
    """What actions are about; each is the name of a statement."""

    ANYTHING = "KaizenAnywhere"
    REPOSITORIES = "KaizenRepositories"
    SERVICES = "KaizenServices"
    LOGS = "KaizenLogs"
    TABLE = "KaizenLedger"
    LOCKS = "KaizenLocks"
    HOLDS = "KaizenHolds"
    SECRETS = "KaizenSecrets"


ONLY: Mapping[Kind, str] = {Kind.LOCKS: "lock#*", Kind.HOLDS: "hold#*"}
"""Keys of the table that a statement is limited to: what the ledger says can be added to and not be deleted."""

READ_IMAGES = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
WRITE_IMAGES = (
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
LOG_IN = ("ecr:GetAuthorizationToken",)
READ_TABLE = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")

TASKS: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "push": {
        Kind.ANYTHING: LOG_IN,
        Kind.REPOSITORIES: ("ecr:DescribeRepositories", *READ_IMAGES, *WRITE_IMAGES),
    },
    "deploy": {
        Kind.ANYTHING: (*LOG_IN, "apprunner:ListServices"),
        Kind.REPOSITORIES: ("ecr:DescribeRepositories", *READ_IMAGES, *WRITE_IMAGES),
        Kind.SERVICES: ("apprunner:DescribeService", "apprunner:ListOperations", "apprunner:StartDeployment"),
        Kind.LOGS: ("logs:DescribeLogStreams", "logs:GetLogEvents"),
        Kind.TABLE: (*READ_TABLE, "dynamodb:PutItem"),
        Kind.LOCKS: ("dynamodb:UpdateItem",),
    },
    "hold": {
        Kind.TABLE: (*READ_TABLE, "dynamodb:PutItem"),
        Kind.HOLDS: ("dynamodb:DeleteItem",),
    },
    "runtime": {
        Kind.SECRETS: (
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ),
    },
    "status": {
        Kind.ANYTHING: (*LOG_IN, "apprunner:ListServices"),
        Kind.REPOSITORIES: READ_IMAGES,
        Kind.SERVICES: ("apprunner:DescribeService",),
        Kind.TABLE: READ_TABLE,
    },
    "doctor": {
        Kind.ANYTHING: ("apprunner:ListServices", "ecr:GetAccountSetting"),
        Kind.REPOSITORIES: ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy"),
        Kind.SERVICES: ("apprunner:DescribeService",),
        Kind.TABLE: ("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:Query"),
    },
}
"""What each task asks AWS for; `sts:GetCallerIdentity` needs no permission."""


def tasks(settings: Settings) -> tuple[str, ...]:
    """Return the tasks that the configuration has a use for."""
    return tuple(task for task in TASKS if task != "runtime" or settings.runtime.keys)


ANY: Mapping[str, str] = {}


@frozen(kw_only=True)
class Statement:
    """Actions, and everything that they are needed for."""

    kind: Kind
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def statements(
    settings: Settings, *, account: str, table: str, identities: Mapping[str, str] = ANY
) -> tuple[Statement, ...]:
    """Return the least that whoever releases the app must be allowed.

    Args:
        settings: names the repositories and services.
        account: twelve digits.
        table: name of the ledger's table.
        identities: the last part of each service's ARN, by its name; only App Runner knows it, else it is any.
    """
    resources = _resources(settings, account, table, identities)
    found = []
    for kind in filter(resources.get, Kind):
        actions = {action for needs in TASKS.values() for action in needs.get(kind, ())}
        found.append(Statement(kind=kind, actions=tuple(sorted(actions)), resources=resources[kind]))
    return tuple(found)


def document(settings: Settings, *, account: str, table: str) -> Document:
    """Return that as a policy document for IAM."""
    return {
        "Version": "2012-10-17",
        "Statement": [_written(each) for each in statements(settings, account=account, table=table)],
    }


def trust(settings: Settings, *, account: str, repository: str) -> Document:
    """Return who may take the role: jobs of a GitHub repository, on a branch that is released from, or once approved.

    https://docs.github.com/en/actions/concepts/security/openid-connect

    Args:
        settings: names the branches, and the stages that are protected.
        account: twelve digits.
        repository: `owner/name`.
    """
    stages = (settings.stage(name) for name in settings.pipeline)
    gates = dict.fromkeys(gate_of(stage.name) for stage in stages if any(each.protected for each in stage.environments))
    jobs = (
        *(f"ref:refs/heads/{branch}" for branch in settings.release.branches),
        *(f"environment:{gate}" for gate in gates),
    )
    provider = f"arn:{partition(settings.aws.region)}:iam::{account}:oidc-provider/{GITHUB}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "KaizenGitHub",
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": provider},
                "Condition": {
                    "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
                    "StringLike": {f"{GITHUB}:sub": [f"repo:{repository}:{job}" for job in jobs]},
                },
            }
        ],
    }


def _written(statement: Statement) -> Document:
    written: Document = {
        "Sid": str(statement.kind),
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
    }
    if statement.kind in ONLY:
        written["Condition"] = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [ONLY[statement.kind]]}}
    return written


def partition(region: str) -> str:
    """Return the part of AWS that a region belongs to, as ARNs begin."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")


def _resources(
    settings: Settings, account: str, table: str, identities: Mapping[str, str]
) -> dict[Kind, tuple[str, ...]]:
    region, environments = settings.aws.region, settings.environments.values()
    services = dict.fromkeys(f"{each.service}/{identities.get(each.service, '*')}" for each in environments)
    repositories = dict.fromkeys(each.repository for each in environments)

    def arn(service: str, resource: str) -> str:
        return f"arn:{partition(region)}:{service}:{region}:{account}:{resource}"

    secrets = environments if settings.runtime.keys else ()
    return {
        Kind.SECRETS: tuple(arn("secretsmanager", f"secret:{each.secret}-??????") for each in secrets),
        Kind.ANYTHING: ("*",),
        Kind.REPOSITORIES: tuple(arn("ecr", f"repository/{name}") for name in repositories),
        Kind.SERVICES: tuple(arn("apprunner", f"service/{name}") for name in services),
        Kind.LOGS: tuple(
            arn("logs", f"log-group:/aws/apprunner/{name}/{group}:*")
            for name in services
            for group in ("service", "application")
        ),
        **dict.fromkeys((Kind.TABLE, Kind.LOCKS, Kind.HOLDS), (arn("dynamodb", f"table/{table}"),)),
    }
