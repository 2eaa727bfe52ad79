"""What an account says of itself: who asks, what they may do, which tags of a repository may move."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class CallerIdentity:
    """Whose credentials these are.

    Attributes:
        account_id: twelve digits.
        principal: the user or role, as an ARN.
    """

    account_id: str
    principal: str


@frozen(kw_only=True)
class Permission:
    """Whether the credentials suffice for a task.

    Attributes:
        task: `push`, `deploy`.
        denied_actions: actions that it needs and that are not allowed.
        unchecked_actions: actions that it needs and that nobody could ask about without doing them.
        unchecked_reason: why the untried ones were not asked about; empty when there are none.
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
        exists: whether it is there and can be used.
        point_in_time_recovery: whether it can be restored to any point in time.
    """

    name: str
    exists: bool
    point_in_time_recovery: bool
