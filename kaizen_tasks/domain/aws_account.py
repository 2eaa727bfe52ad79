"""The AWS account: the caller, their permissions, and the ledger's table."""

from __future__ import annotations

from attrs import frozen


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
