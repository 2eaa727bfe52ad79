"""The IAM actions that each task needs, by platform.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings


class Sid(StrEnum):
    """The `Sid` of each statement in the policy; there is one statement for each kind of resource."""

    ANYTHING = "KaizenAnywhere"
    REPOSITORIES = "KaizenRepositories"
    SERVICES = "KaizenServices"
    LOGS = "KaizenLogs"
    ECS_SERVICES = "KaizenEcsServices"
    ECS_DEPLOYMENTS = "KaizenEcsDeployments"
    ECS_REVISIONS = "KaizenEcsRevisions"
    ECS_DEFINITIONS = "KaizenEcsTaskDefinitions"
    ECS_TASKS = "KaizenEcsTasks"
    ECS_RUN = "KaizenEcsRunTask"
    ECS_LOGS = "KaizenEcsLogs"
    PASSED_ROLES = "KaizenPassedRoles"
    ROLES = "KaizenRolesOfTasks"
    TABLE = "KaizenLedger"
    ENTRIES = "KaizenLedgerAppend"
    LOCKS = "KaizenLocks"
    HOLDS = "KaizenHolds"
    SECRETS = "KaizenSecrets"
    HEADER_SECRETS = "KaizenHeaderSecrets"
    NOTIFY_SECRETS = "KaizenMessageSecrets"
    OUTBOX = "KaizenOutbox"


Needs = Mapping[Sid, tuple[str, ...]]
"""Actions by the kind of resource on which they are needed."""

TaskActions = Mapping[str, Needs]
"""What tasks need, by task; `sts:GetCallerIdentity` needs no permission."""

IMAGE_READ_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
IMAGE_WRITE_ACTIONS = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
LOGIN_ACTIONS = ("ecr:GetAuthorizationToken",)
TABLE_READ_ACTIONS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
LOG_READ_ACTIONS = ("logs:DescribeLogStreams", "logs:GetLogEvents")

COMMON: TaskActions = {
    "push": {
        Sid.ANYTHING: LOGIN_ACTIONS,
        Sid.REPOSITORIES: ("ecr:DescribeRepositories", *IMAGE_READ_ACTIONS, *IMAGE_WRITE_ACTIONS),
    },
    "deploy": {
        Sid.ANYTHING: LOGIN_ACTIONS,
        Sid.REPOSITORIES: ("ecr:DescribeRepositories", *IMAGE_READ_ACTIONS, *IMAGE_WRITE_ACTIONS),
        Sid.TABLE: TABLE_READ_ACTIONS,
        Sid.ENTRIES: ("dynamodb:PutItem",),
        Sid.LOCKS: ("dynamodb:UpdateItem",),
        Sid.HEADER_SECRETS: ("secretsmanager:GetSecretValue",),
    },
    "hold": {Sid.TABLE: TABLE_READ_ACTIONS, Sid.HOLDS: ("dynamodb:DeleteItem", "dynamodb:PutItem")},
    "runtime": {
        Sid.SECRETS: (
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        )
    },
    "status": {
        Sid.ANYTHING: LOGIN_ACTIONS,
        Sid.REPOSITORIES: IMAGE_READ_ACTIONS,
        Sid.TABLE: TABLE_READ_ACTIONS,
        Sid.HEADER_SECRETS: ("secretsmanager:GetSecretValue",),
    },
    "notify": {Sid.NOTIFY_SECRETS: ("secretsmanager:GetSecretValue",)},
    "doctor": {
        Sid.ANYTHING: ("ecr:GetAccountSetting",),
        Sid.REPOSITORIES: ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy"),
        Sid.TABLE: ("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:Query"),
    },
}
"""What tasks need on every platform."""

APP_RUNNER: TaskActions = {
    "deploy": {
        Sid.ANYTHING: ("apprunner:ListServices",),
        Sid.SERVICES: ("apprunner:DescribeService", "apprunner:ListOperations", "apprunner:StartDeployment"),
        Sid.LOGS: LOG_READ_ACTIONS,
    },
    "logs": {Sid.LOGS: ("logs:FilterLogEvents",)},
    "status": {Sid.ANYTHING: ("apprunner:ListServices",), Sid.SERVICES: ("apprunner:DescribeService",)},
    "doctor": {Sid.ANYTHING: ("apprunner:ListServices",), Sid.SERVICES: ("apprunner:DescribeService",)},
}

_ECS_READ: Needs = {
    Sid.ANYTHING: ("ecs:DescribeTaskDefinition", "ecs:ListServices"),
    Sid.ECS_SERVICES: ("ecs:DescribeServices", "ecs:ListServiceDeployments"),
    Sid.ECS_DEPLOYMENTS: ("ecs:DescribeServiceDeployments",),
    Sid.ECS_REVISIONS: ("ecs:DescribeServiceRevisions",),
}

PASS_ROLE: Needs = {Sid.PASSED_ROLES: ("iam:PassRole",)}
"""Tasks get roles by the definition that is registered, or by the update that is sent."""

ECS: TaskActions = {
    "deploy": {
        **_ECS_READ,
        Sid.ANYTHING: (*_ECS_READ[Sid.ANYTHING], "ecs:ListTasks", "ecs:RegisterTaskDefinition"),
        Sid.ECS_SERVICES: (*_ECS_READ[Sid.ECS_SERVICES], "ecs:UpdateService"),
        Sid.ECS_DEPLOYMENTS: (*_ECS_READ[Sid.ECS_DEPLOYMENTS], "ecs:StopServiceDeployment"),
        Sid.ECS_DEFINITIONS: ("ecs:TagResource",),
        Sid.ECS_TASKS: ("ecs:DescribeTasks",),
        Sid.ECS_LOGS: LOG_READ_ACTIONS,
        **PASS_ROLE,
    },
    "logs": {
        Sid.ANYTHING: ("ecs:DescribeTaskDefinition",),
        Sid.ECS_SERVICES: ("ecs:DescribeServices",),
        Sid.ECS_LOGS: ("logs:FilterLogEvents",),
    },
    "status": _ECS_READ,
    "doctor": {**_ECS_READ, Sid.ECS_LOGS: ("logs:DescribeLogStreams",), Sid.ROLES: ("iam:GetRole",)},
}

EXPRESS: TaskActions = {
    "deploy": {Sid.ECS_SERVICES: ("ecs:DescribeExpressGatewayService", "ecs:UpdateExpressGatewayService")},
    **{task: {Sid.ECS_SERVICES: ("ecs:DescribeExpressGatewayService",)} for task in ("logs", "status", "doctor")},
}
"""What services in Express Mode need beside all others of ECS."""

COMMANDS: TaskActions = {
    "commands": {
        Sid.ANYTHING: ("ecs:DescribeTaskDefinition", "ecs:ListTasks", "ecs:RegisterTaskDefinition"),
        Sid.ECS_RUN: ("ecs:RunTask",),
        Sid.ECS_TASKS: ("ecs:DescribeTasks", "ecs:StopTask"),
        Sid.ECS_LOGS: LOG_READ_ACTIONS,
        **PASS_ROLE,
    }
}
"""What commands before a deployment need."""

_OUTBOX: Needs = {Sid.OUTBOX: ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")}

MESSAGES: TaskActions = {"deploy": _OUTBOX, "hold": _OUTBOX}
"""What tasks need that tell targets of `[[notify]]`, beside their secrets. Transactions have no actions of their own:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html."""

PLATFORM_ACTIONS: Mapping[str, tuple[TaskActions, ...]] = {
    "apprunner": (APP_RUNNER,),
    "ecs": (ECS,),
    "ecs-express": (ECS, EXPRESS),
}


def task_actions(settings: Settings) -> TaskActions:
    """Return what each task needs on the platforms of the environments, and no more.

    Args:
        settings: configuration with the environments of an account; with none, only the common ones are needed.
    """
    platforms = dict.fromkeys(each.platform for each in settings.environments.values())
    parts = [COMMON, *(part for name in platforms for part in PLATFORM_ACTIONS[name])]
    if any(each.before_deploy and each.runs_commands for each in settings.environments.values()):
        parts.append(COMMANDS)
    if settings.notify:
        parts.append(MESSAGES)
    tasks = dict.fromkeys(task for part in parts for task in part)
    merged = {task: _merge(part.get(task, {}) for part in parts) for task in tasks}
    unused = {
        *(("runtime",) if not settings.runtime.keys else ()),
        *(("notify",) if not any(target.secret_names for target in settings.notify) else ()),
    }
    return {task: needs for task, needs in merged.items() if task not in unused}


def _merge(parts: Iterable[Needs]) -> Needs:
    merged: dict[Sid, tuple[str, ...]] = {}
    for part in parts:
        for sid, actions in part.items():
            merged[sid] = tuple(dict.fromkeys((*merged.get(sid, ()), *actions)))
    return merged


def actions_of_task(tasks: TaskActions, task: str) -> tuple[str, ...]:
    """Return all actions that a task needs, sorted."""
    return tuple(sorted({action for actions in tasks[task].values() for action in actions}))
