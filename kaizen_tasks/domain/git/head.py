"""What is checked out."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class HeadState:
    """The commit and branch that are checked out.

    Attributes:
        commit: full hash of the commit.
        branch: the branch's short name; empty when HEAD is detached.
    """

    commit: str
    branch: str
