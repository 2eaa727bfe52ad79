"""The AWS account: the caller, their permissions, and the ledger's table."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class CallerIdentity:
    """The owner of the credentials.

    Attributes:
        account_id: twelve digits.
        principal: the user or role, as an ARN.
    """

    account_id: str
    principal: str


@frozen(kw_only=True)
class Permission:
    """Whether the credentials allow a task.

    Attributes:
        task: `push`, `deploy`.
        denied_actions: required actions that are not allowed.
        unchecked_actions: required actions that cannot be checked without performing them.
        unchecked_reason: why they cannot be checked; empty when all were.
    """

    task: str
    denied_actions: tuple[str, ...] = ()
    unchecked_actions: tuple[str, ...] = ()
    unchecked_reason: str = ""


@frozen(kw_only=True)
class LedgerTable:
    """The ledger's table.

    Attributes:
        name: of the table.
        exists: whether it exists and is active.
        point_in_time_recovery: whether it can be restored to any point in time.
    """

    name: str
    exists: bool
    point_in_time_recovery: bool
