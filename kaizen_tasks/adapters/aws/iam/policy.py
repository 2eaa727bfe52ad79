"""The permissions that each task needs: the source of the printed policy and of doctor's checks.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from kaizen_tasks.adapters.aws.iam.actions import Sid, TaskActions, actions_of_task, task_actions
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.init.ci.inputs import ci_environment_for
from kaizen_tasks.domain.init.ci.trust import AUDIENCE, TrustedJobs

Document = dict[str, object]  # JSON that is printed


PASSED_TO = "ecs-tasks.amazonaws.com"
"""Who gets the roles that a deployment passes: tasks, and nobody else."""

OUTBOX_KEYS = "outbox*"
LEADING_KEYS: Mapping[Sid, str] = {
    Sid.ENTRIES: "ledger#*",
    Sid.LOCKS: "lock#*",
    Sid.HOLDS: "hold#*",
    Sid.OUTBOX: OUTBOX_KEYS,
}
"""Partition keys that a statement is limited to: entries of the ledger are added, and neither changed nor deleted."""

TOLD = (Sid.ENTRIES, Sid.HOLDS)
"""Statements about items that are written with notifications in one request, whose keys a condition then sees."""

NOT_ENFORCED = (
    "not enforced by IAM: that an entry of the ledger is new. These tasks replace none (attribute_not_exists), but"
    " dynamodb:PutItem can; point-in-time recovery brings a replaced entry back"
)

ROLES_TO_NAME = (
    "narrow what no configuration names: KaizenPassedRoles and KaizenRolesOfTasks to the roles of your tasks,"
    " KaizenEcsLogs to their log groups"
)
"""What a policy for ECS leaves wide: the names are in task definitions, which this command does not read."""

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

NO_SERVICE_IDS: Mapping[str, str] = {}


@frozen(kw_only=True)
class Statement:
    """A statement of the policy: actions, and the resources on which the actions are needed."""

    sid: Sid
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def statements(
    settings: Settings,
    *,
    account: str,
    table: str,
    service_ids: Mapping[str, str] = NO_SERVICE_IDS,
    passed_roles: tuple[str, ...] | None = None,
) -> tuple[Statement, ...]:
    """Return the policy statements with the least permissions for releasing the app.

    Args:
        settings: configuration with the environments of the account.
        account: twelve digits.
        table: name of the ledger's table; empty if it is in another account.
        service_ids: the last part of each service's ARN, by service name; `*` for a service that does not exist.
        passed_roles: the roles of the tasks; None where they are not known, which names all of the account.
    """
    resources = _resources(settings, account, table, service_ids)
    if passed_roles is not None:
        resources |= {Sid.PASSED_ROLES: passed_roles, Sid.ROLES: passed_roles}
    tasks = task_actions(settings)
    actions = {sid: {action for task in tasks.values() for action in task.get(sid, ())} for sid in Sid}
    return tuple(
        Statement(sid=sid, actions=tuple(sorted(actions[sid])), resources=resources[sid])
        for sid in filter(resources.get, Sid)
        if actions[sid]
    )


CHANGES = (
    *("ecr:Put", "ecr:Upload", "ecr:Initiate", "ecr:Complete", "dynamodb:Put", "dynamodb:Up"),
    *("apprunner:Start", "ecs:Update", "ecs:Register", "iam:PassRole"),
)
"""How the actions of a deployment's changes begin."""


def changing_statements(required: Iterable[Statement], tasks: TaskActions) -> tuple[Statement, ...]:
    """Return the statements of a deployment's changes: reading is refused before anything changes anyway."""
    deploy_actions = {*actions_of_task(tasks, "deploy")}
    kept = ((each, tuple(filter(deploy_actions.__contains__, each.actions))) for each in required)
    changing = ((each, tuple(action for action in actions if action.startswith(CHANGES))) for each, actions in kept)
    return tuple(evolve(each, actions=actions) for each, actions in changing if actions)


def policy_document(settings: Settings, *, account: str, table: str) -> Document:
    """Return the least permissions for releasing the app as an IAM policy document."""
    required = statements(settings, account=account, table=table)
    cluster_arns, tells = clusters(settings, account), bool(settings.notify)
    rendered = [_render_statement(statement, cluster_arns, tells=tells) for statement in required]
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


def clusters(settings: Settings, account: str) -> tuple[str, ...]:
    """Return the ARNs of the clusters of environments."""
    with_tasks = [each for each in settings.environments.values() if each.runs_commands]
    return tuple(dict.fromkeys(_arn(each, "ecs", account, f"cluster/{each.cluster}") for each in with_tasks))


def _arn(environment: Environment, service: str, account: str, name: str) -> str:
    region = environment.target.region
    return f"arn:{partition(region)}:{service}:{region}:{account}:{name}"


def _render_statement(statement: Statement, cluster_arns: Sequence[str], *, tells: bool) -> Document:
    rendered: Document = {"Sid": str(statement.sid), "Effect": "Allow"}
    rendered |= {"Action": list(statement.actions), "Resource": list(statement.resources)}
    if statement.sid in LEADING_KEYS:
        keys = [LEADING_KEYS[statement.sid], *([OUTBOX_KEYS] if tells and statement.sid in TOLD else [])]
        rendered["Condition"] = {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys},
            "Null": {"dynamodb:LeadingKeys": "false"},  # without keys, the condition above would be true
        }
    elif statement.sid is Sid.PASSED_ROLES:
        rendered["Condition"] = {"StringEquals": {"iam:PassedToService": PASSED_TO}}
    elif statement.sid is Sid.ECS_RUN:
        rendered["Condition"] = {"ArnEquals": {"ecs:cluster": list(cluster_arns)}}
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
    on_app_runner = [each for each in environments if each.follows_tag]
    in_cluster = [each for each in environments if each.kind.has_cluster]
    with_tasks = [each for each in environments if each.runs_commands]

    def arns(
        service: str, names: Callable[[Environment], Iterable[str]], of: Iterable[Environment] = environments
    ) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_arn(each, service, account, name) for each in of for name in names(each)))

    def service(environment: Environment) -> str:
        return f"{environment.service}/{service_ids.get(environment.service, '*')}"

    def logs(environment: Environment) -> Iterable[str]:
        groups = (f"/aws/apprunner/{service(environment)}/{kind}" for kind in ("service", "application"))
        return (f"log-group:{group}:*" for group in groups)

    def header_secrets(environment: Environment) -> Iterable[str]:
        headers = [header for header in settings.verify.headers.values() if header.secret]
        return (f"secret:{header.secret_name(environment.name, settings.app)}-??????" for header in headers)

    def of_service(kind: str, suffix: str = "") -> tuple[str, ...]:
        return arns("ecs", lambda each: (f"{kind}/{each.cluster}/{each.service}{suffix}",), in_cluster)

    home = settings.aws.region
    tables = (f"arn:{partition(home)}:dynamodb:{home}:{account}:table/{table}",) if table else ()
    roles = (f"arn:{partition(home)}:iam::{account}:role/*",) if with_tasks else ()
    notify_names = dict.fromkeys(name for target in settings.notify for name in target.secret_names) if table else ()
    secrets = f"arn:{partition(home)}:secretsmanager:{home}:{account}:secret"
    has_runtime = bool(settings.runtime.keys)
    return {
        Sid.SECRETS: arns("secretsmanager", lambda each: (f"secret:{each.secret}-??????",)) if has_runtime else (),
        Sid.HEADER_SECRETS: arns("secretsmanager", header_secrets),
        Sid.NOTIFY_SECRETS: tuple(f"{secrets}:{name}-??????" for name in notify_names),
        Sid.ANYTHING: ("*",) if environments else (),
        Sid.REPOSITORIES: arns("ecr", lambda each: (f"repository/{each.repository}",)),
        Sid.SERVICES: arns("apprunner", lambda each: (f"service/{service(each)}",), on_app_runner),
        Sid.LOGS: arns("logs", logs, on_app_runner),
        Sid.ECS_SERVICES: of_service("service"),
        Sid.ECS_DEPLOYMENTS: of_service("service-deployment", "/*"),
        Sid.ECS_REVISIONS: of_service("service-revision", "/*"),
        Sid.ECS_TASKS: arns("ecs", lambda each: (f"task/{each.cluster}/*",), with_tasks),
        Sid.ECS_DEFINITIONS: arns("ecs", lambda _: ("task-definition/*:*",), in_cluster),
        Sid.ECS_RUN: arns("ecs", lambda _: ("task-definition/*:*",), with_tasks),
        Sid.ECS_LOGS: arns("logs", lambda _: ("log-group:*:*",), with_tasks),
        **dict.fromkeys((Sid.PASSED_ROLES, Sid.ROLES), roles),
        **dict.fromkeys((Sid.TABLE, Sid.ENTRIES, Sid.LOCKS, Sid.HOLDS, Sid.OUTBOX), tables),
    }
