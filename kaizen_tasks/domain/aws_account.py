"""The AWS account: the caller, their permissions, and the ledger's table."""

from __future__ import annotations

import re

from attrs import frozen

GENERATED_SESSION_NAME = (
    r"botocore-session-\d+|aws-(go-)?sdk-.+|AWSCLI-Session|GitHubActions|AWSCodeBuild-.+|eks-.+"
    r"|i-[0-9a-f]{8,}|[0-9a-f-]{16,}|\d+"
)
"""Names that SDKs, services and instances give to sessions of roles when nobody gives one."""

MAX_SESSION_NAME_LENGTH = 64
"""Characters of a role session's name: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""


@frozen(kw_only=True)
class CallerIdentity:
    """The identity to which AWS credentials belong.

    Attributes:
        account_id: twelve digits.
        principal: the ARN of the user or role.
    """

    account_id: str
    principal: str


@frozen(kw_only=True)
class Permission:
    """What the credentials allow of one task.

    Attributes:
        task: the kind of task: `push`, `deploy`.
        denied_actions: required actions that are not allowed.
        unchecked_actions: required actions that cannot be checked without performing them.
        unchecked_reason: why those actions cannot be checked; empty when all were checked.
    """

    task: str
    denied_actions: tuple[str, ...] = ()
    unchecked_actions: tuple[str, ...] = ()
    unchecked_reason: str = ""


@frozen(kw_only=True)
class DeniedAction:
    """An action of a deployment that IAM's simulator denies.

    Attributes:
        action: the IAM action: `apprunner:StartDeployment`.
        is_certain: whether AWS will deny it; otherwise a policy of the resource, or a condition whose value the
            simulator does not know, may still allow it.
    """

    action: str
    is_certain: bool


@frozen(kw_only=True)
class LedgerTable:
    """The state of the ledger's table.

    Attributes:
        name: the table's name.
        exists: whether the table exists and is usable.
        point_in_time_recovery: whether the table can be restored to any point in time; None when that cannot be read.
    """

    name: str
    exists: bool
    point_in_time_recovery: bool | None


def person_in_session(principal: str) -> str:
    """Return who assumed a role or has federated, by the session's name in an ARN; empty when it names nobody.

    IAM Identity Center names sessions after their users.
    """
    match = re.fullmatch(r"arn:[^:]+:sts::[0-9]*:(?:assumed-role/[^/]+|federated-user)/(.+)", principal)
    return "" if match is None or re.fullmatch(GENERATED_SESSION_NAME, match[1]) else match[1]


def iam_user(principal: str) -> str:
    """Return the name of the IAM user in an ARN; empty for another principal. Several people may have its keys."""
    match = re.fullmatch(r"arn:[^:]+:iam::[0-9]*:user/(?:.+/)?([^/]+)", principal)
    return match[1] if match else ""


def role_session_name(actor: str, app: str) -> str:
    """Return the name of a role's session, which says who releases what: `ada@laptop.coach`.

    Args:
        actor: the person, or the user of a CI service.
        app: the app's name.
    """
    person, name = (re.sub(r"[^\w+=,.@-]+", "-", text, flags=re.ASCII).strip("-") for text in (actor, app))
    name = name[: MAX_SESSION_NAME_LENGTH // 2]
    return f"{person[: MAX_SESSION_NAME_LENGTH - len(name) - 1] or 'kaizen'}.{name}"
