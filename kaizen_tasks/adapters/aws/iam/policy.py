"""The permissions that each task needs: the source of the printed policy and of doctor's checks.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import evolve, frozen

from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.init.ci.inputs import ci_environment_for
from kaizen_tasks.domain.init.ci.trust import AUDIENCE, TrustedJobs

Document = dict[str, object]  # JSON that is printed


class Sid(StrEnum):
    """The `Sid` of each statement in the policy; there is one statement for each kind of resource."""

    ANYTHING = "KaizenAnywhere"
    REPOSITORIES = "KaizenRepositories"
    SERVICES = "KaizenServices"
    LOGS = "KaizenLogs"
    TABLE = "KaizenLedger"
    ENTRIES = "KaizenLedgerAppend"
    LOCKS = "KaizenLocks"
    HOLDS = "KaizenHolds"
    SECRETS = "KaizenSecrets"
    HEADER_SECRETS = "KaizenHeaderSecrets"


LEADING_KEYS: Mapping[Sid, str] = {Sid.ENTRIES: "ledger#*", Sid.LOCKS: "lock#*", Sid.HOLDS: "hold#*"}
"""Partition keys that a statement is limited to: entries of the ledger are added, and neither changed nor deleted."""

NOT_ENFORCED = (
    "not enforced by IAM: that an entry of the ledger is new. These tasks replace none (attribute_not_exists), but"
    " dynamodb:PutItem can; point-in-time recovery brings a replaced entry back"
)

KEPT_ENTRY_ACTIONS = (
    *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLUpdate"),
    "dynamodb:UpdateItem",
)
"""Actions by which an entry could be changed or deleted, which are denied even if another policy allows them."""

KEPT_TABLE_ACTIONS = ("dynamodb:DeleteTable", "dynamodb:UpdateTimeToLive")
"""Actions by which all entries could be deleted."""

KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""What reading and writing takes where secrets or the table are encrypted with a key of your own."""

ENCRYPTING_SERVICES = ("dynamodb", "secretsmanager")

IMAGE_READ_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
IMAGE_WRITE_ACTIONS = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
LOGIN_ACTIONS = ("ecr:GetAuthorizationToken",)
TABLE_READ_ACTIONS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")

TASK_ACTIONS: Mapping[str, Mapping[Sid, tuple[str, ...]]] = {
    "push": {
        Sid.ANYTHING: LOGIN_ACTIONS,
        Sid.REPOSITORIES: ("ecr:DescribeRepositories", *IMAGE_READ_ACTIONS, *IMAGE_WRITE_ACTIONS),
    },
    "deploy": {
        Sid.ANYTHING: (*LOGIN_ACTIONS, "apprunner:ListServices"),
        Sid.REPOSITORIES: ("ecr:DescribeRepositories", *IMAGE_READ_ACTIONS, *IMAGE_WRITE_ACTIONS),
        Sid.SERVICES: ("apprunner:DescribeService", "apprunner:ListOperations", "apprunner:StartDeployment"),
        Sid.LOGS: ("logs:DescribeLogStreams", "logs:GetLogEvents"),
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
        Sid.ANYTHING: (*LOGIN_ACTIONS, "apprunner:ListServices"),
        Sid.REPOSITORIES: IMAGE_READ_ACTIONS,
        Sid.SERVICES: ("apprunner:DescribeService",),
        Sid.TABLE: TABLE_READ_ACTIONS,
        Sid.HEADER_SECRETS: ("secretsmanager:GetSecretValue",),
    },
    "doctor": {
        Sid.ANYTHING: ("apprunner:ListServices", "ecr:GetAccountSetting"),
        Sid.REPOSITORIES: ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy"),
        Sid.SERVICES: ("apprunner:DescribeService",),
        Sid.TABLE: ("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:Query"),
    },
}
"""IAM actions by task and kind of resource; `sts:GetCallerIdentity` needs no permission."""


def applicable_tasks(settings: Settings) -> tuple[str, ...]:
    """Return the keys of `TASK_ACTIONS`, without `runtime` if no runtime configuration is configured."""
    return tuple(task for task in TASK_ACTIONS if task != "runtime" or settings.runtime.keys)


NO_SERVICE_IDS: Mapping[str, str] = {}


@frozen(kw_only=True)
class Statement:
    """A statement of the policy: actions, and the resources on which the actions are needed."""

    sid: Sid
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def statements(
    settings: Settings, *, account: str, table: str, service_ids: Mapping[str, str] = NO_SERVICE_IDS
) -> tuple[Statement, ...]:
    """Return the policy statements with the least permissions for releasing the app.

    Args:
        settings: configuration with the environments of the account.
        account: twelve digits.
        table: name of the ledger's table; empty if it is in another account.
        service_ids: the last part of each service's ARN, by service name; `*` for a service that does not exist.
    """
    resources = _resources(settings, account, table, service_ids)
    actions = {sid: {action for task in TASK_ACTIONS.values() for action in task.get(sid, ())} for sid in Sid}
    return tuple(
        Statement(sid=sid, actions=tuple(sorted(actions[sid])), resources=resources[sid])
        for sid in filter(resources.get, Sid)
    )


def changing_statements(required: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return the statements of a deployment's changes: reading is refused before anything changes anyway."""
    changes = (
        "ecr:Put",
        "ecr:Upload",
        "ecr:Initiate",
        "ecr:Complete",
        "apprunner:Start",
        "dynamodb:Put",
        "dynamodb:Up",
    )
    deploy_actions = {action for actions in TASK_ACTIONS["deploy"].values() for action in actions}
    kept = ((each, tuple(filter(deploy_actions.__contains__, each.actions))) for each in required)
    changing = ((each, tuple(action for action in actions if action.startswith(changes))) for each, actions in kept)
    return tuple(evolve(each, actions=actions) for each, actions in changing if actions)


def policy_document(settings: Settings, *, account: str, table: str) -> Document:
    """Return the least permissions for releasing the app as an IAM policy document."""
    rendered = [_render_statement(statement) for statement in statements(settings, account=account, table=table)]
    key_statement = render_key_statement(settings, account, KEY_ACTIONS, ENCRYPTING_SERVICES)
    denials = _denials(settings, account, table) if table else ()
    return {"Version": "2012-10-17", "Statement": [*rendered, key_statement, *denials]}


def render_key_statement(settings: Settings, account: str, actions: Sequence[str], services: Sequence[str]) -> Document:
    """Return a statement that allows the use of the account's own keys, but only by services on the caller's behalf.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    regions = used_regions(settings)
    hosts = [f"{service}.{region}.{dns_suffix(region)}" for region in regions for service in services]
    return {
        "Sid": "KaizenKeys",
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": [f"arn:{partition(region)}:kms:{region}:{account}:key/*" for region in regions],
        "Condition": {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": hosts}},
    }


def used_regions(settings: Settings) -> tuple[str, ...]:
    """Return the regions of the environments; without any, that of the ledger."""
    regions = (each.target.region for each in settings.environments.values())
    return tuple(dict.fromkeys(regions)) or (settings.aws.region,)


def _denials(settings: Settings, account: str, table: str) -> Iterator[Document]:
    """Yield what keeps the ledger, whatever other policies the same role has."""
    arn = f"arn:{partition(settings.aws.region)}:dynamodb:{settings.aws.region}:{account}:table/{table}"
    yield {
        "Sid": "KaizenLedgerEntriesAreKept",
        "Effect": "Deny",
        "Action": list(KEPT_ENTRY_ACTIONS),
        "Resource": [arn],
        "Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": [LEADING_KEYS[Sid.ENTRIES]]}},
    }
    yield {"Sid": "KaizenLedgerIsKept", "Effect": "Deny", "Action": list(KEPT_TABLE_ACTIONS), "Resource": [arn]}


def trust_policy(settings: Settings, *, account: str, jobs: TrustedJobs) -> Document:
    """Return the role's trust policy, which admits jobs on a release branch or in a protected environment.

    Args:
        settings: configuration with the release branches and the protected stages.
        account: twelve digits.
        jobs: whose jobs they are.
    """
    stages = map(settings.stage, settings.pipeline)
    protected = (stage.name for stage in stages if any(environment.protected for environment in stage.environments))
    subjects = jobs.subjects(settings.release.branches, tuple(dict.fromkeys(map(ci_environment_for, protected))))
    provider = f"arn:{partition(settings.aws.region)}:iam::{account}:oidc-provider/{jobs.host}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"Kaizen{jobs.name}",
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": provider},
                "Condition": {
                    "StringEquals": {f"{jobs.host}:aud": AUDIENCE},
                    "StringLike": {f"{jobs.host}:sub": list(subjects)},
                },
            }
        ],
    }


def _render_statement(statement: Statement) -> Document:
    rendered: Document = {"Sid": str(statement.sid), "Effect": "Allow"}
    rendered |= {"Action": list(statement.actions), "Resource": list(statement.resources)}
    if statement.sid in LEADING_KEYS:
        rendered["Condition"] = {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [LEADING_KEYS[statement.sid]]},
            "Null": {"dynamodb:LeadingKeys": "false"},  # without keys, the condition above would be true
        }
    return rendered


def partition(region: str) -> str:
    """Return the AWS partition of a region, such as `aws`: the second part of every ARN."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")


def dns_suffix(region: str) -> str:
    """Return the domain of AWS's endpoints in a region."""
    return "amazonaws.com.cn" if partition(region) == "aws-cn" else "amazonaws.com"


def _resources(
    settings: Settings, account: str, table: str, service_ids: Mapping[str, str]
) -> dict[Sid, tuple[str, ...]]:
    environments = settings.environments.values()

    def arns(service: str, names: Callable[[Environment], Iterable[str]]) -> tuple[str, ...]:
        found = (
            f"arn:{partition(each.target.region)}:{service}:{each.target.region}:{account}:{name}"
            for each in environments
            for name in names(each)
        )
        return tuple(dict.fromkeys(found))

    def service(environment: Environment) -> str:
        return f"{environment.service}/{service_ids.get(environment.service, '*')}"

    def logs(environment: Environment) -> Iterable[str]:
        groups = (f"/aws/apprunner/{service(environment)}/{kind}" for kind in ("service", "application"))
        return (f"log-group:{group}:*" for group in groups)

    def header_secrets(environment: Environment) -> Iterable[str]:
        headers = [header for header in settings.verify.headers.values() if header.secret]
        return (f"secret:{header.secret_name(environment.name, settings.app)}-??????" for header in headers)

    home = settings.aws.region
    tables = (f"arn:{partition(home)}:dynamodb:{home}:{account}:table/{table}",) if table else ()
    has_runtime = bool(settings.runtime.keys)
    return {
        Sid.SECRETS: arns("secretsmanager", lambda each: (f"secret:{each.secret}-??????",)) if has_runtime else (),
        Sid.HEADER_SECRETS: arns("secretsmanager", header_secrets),
        Sid.ANYTHING: ("*",) if environments else (),
        Sid.REPOSITORIES: arns("ecr", lambda each: (f"repository/{each.repository}",)),
        Sid.SERVICES: arns("apprunner", lambda each: (f"service/{service(each)}",)),
        Sid.LOGS: arns("logs", logs),
        **dict.fromkeys((Sid.TABLE, Sid.ENTRIES, Sid.LOCKS, Sid.HOLDS), tables),
    }
