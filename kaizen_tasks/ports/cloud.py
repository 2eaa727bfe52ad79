"""Whose cloud it is, and what this machine brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.aws_account import Caller, Permission, Table
    from kaizen_tasks.domain.lifecycle import Rule, StoredImage
    from kaizen_tasks.domain.tag_mutability import TagRules


class Identity(Protocol):
    """Whose credentials these are."""

    def account(self) -> str:
        """Return the account's number.

        Raises:
            Denied: there are no credentials, they do not work, or they are of another account than configured.
        """
        ...


class Account(Protocol):
    """What only `doctor` and `setup` ask of the cloud account, and what they put right in it."""

    def caller(self) -> Caller:
        """Return whose credentials these are.

        Raises:
            Denied: there are no credentials, they do not work, or they are of another account than configured.
        """
        ...

    def regions(self) -> tuple[str, ...]:
        """Return the regions that have the platform, as far as is known without asking."""
        ...

    def skew(self) -> float:
        """Return the seconds by which this machine's clock is ahead of the cloud's; to half a second.

        Raises:
            Unreachable: there is no answer.
        """
        ...

    def permissions(self) -> tuple[Permission, ...]:
        """Return for every task whether the credentials suffice; nothing is changed to find out."""
        ...

    def table(self) -> Table:
        """Return the ledger's table as it is now."""
        ...

    def create_table(self) -> None:
        """Create the ledger's table and make it recoverable; again does no harm."""
        ...

    def tag_rules(self, repository: str) -> TagRules:
        """Return which tags of a repository may move.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    def set_tag_rules(self, repository: str, rules: TagRules) -> None:
        """Say which tags of a repository may move."""
        ...

    def lifecycle(self, repository: str) -> tuple[Rule, ...]:
        """Return the rules by which a repository loses images; empty when it keeps them.

        Raises:
            Refused: the policy cannot be read.
        """
        ...

    def images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return every image of a repository, untagged ones too."""
        ...

    def mounts_blobs(self) -> bool:
        """Return whether repositories share blobs without a transfer."""
        ...

    def mount_blobs(self) -> None:
        """Let repositories share blobs without a transfer."""
        ...
