"""What an account says of itself: who asks, what they may do, which tags of a repository may move."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Caller:
    """Whose credentials these are.

    Attributes:
        account: twelve digits.
        principal: the user or role, as an ARN.
    """

    account: str
    principal: str


@frozen(kw_only=True)
class Permission:
    """Whether the credentials suffice for a task.

    Attributes:
        task: `push`, `deploy`.
        denied: actions that it needs and that are not allowed.
        untried: actions that it needs and that nobody could ask about without doing them.
        why: why the untried ones were not asked about; empty when there are none.
    """

    task: str
    denied: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()
    why: str = ""


@frozen(kw_only=True)
class Table:
    """The ledger's table.

    Attributes:
        name: of the table.
        exists: whether it is there and can be used.
        recoverable: whether it can be restored to any point in time.
    """

    name: str
    exists: bool
    recoverable: bool
