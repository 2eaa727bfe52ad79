"""The ports of the cloud account: the owner of the credentials, and what `doctor` and `setup` need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kaizen_tasks.domain.aws_account import CallerIdentity, DeniedAction, LedgerTable, Permission
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage
    from kaizen_tasks.domain.service_review import ServiceReview
    from kaizen_tasks.domain.tag_mutability import TagMutability


class Identity(Protocol):
    """The account to which the credentials belong."""

    def account_id(self) -> str:
        """Return the account number.

        Raises:
            Denied: the credentials are missing, invalid, or of another account than configured.
        """


class AccountAdmin(Protocol):
    """The part of the cloud account that only `doctor` and `setup` read and change."""

    def caller(self) -> CallerIdentity:
        """Return the identity to which the credentials belong.

        Raises:
            Denied: the credentials are missing, invalid, or of another account than configured.
        """

    def supported_regions(self, platform: str) -> tuple[str, ...]:
        """Return the regions that are known to have a platform, without any request."""

    def endpoint_urls(self) -> tuple[str, ...]:
        """Return the URLs of the services that are used, without any request and without credentials."""

    def clock_skew(self) -> float:
        """Return the seconds by which this machine's clock is ahead of the cloud's, to half a second.

        Raises:
            Unreachable: the cloud does not answer.
        """

    def permissions(self) -> tuple[Permission, ...]:
        """Return for every task what the credentials allow. The check changes nothing."""

    def denied_changes(self, environments: Sequence[Environment]) -> tuple[DeniedAction, ...]:
        """Return the actions of a deployment that are denied; none when the account does not let us ask."""

    def ledger_table(self) -> LedgerTable:
        """Return the current state of the ledger's table."""

    @mutates("the table exists", needs_lock=False)
    def create_table(self) -> None:
        """Create the ledger's table with point-in-time recovery. Idempotent."""

    def tag_mutability(self, repository: str) -> TagMutability:
        """Return which tags of a repository may move.

        Raises:
            NotFound: there is no such repository.
        """

    @mutates("the repository is created", needs_lock=False)
    def create_repository(self, name: str, rules: TagMutability) -> None:
        """Create a repository with its own tag rules, and with the defaults of the account."""

    @mutates("the repository is created", needs_lock=False)
    def create_repository_like(self, neighbour: str, name: str, rules: TagMutability) -> None:
        """Create a repository with its own tag rules, and with encryption, scanning and lifecycle of another one."""

    def tag_mutabilities(self, repositories: Collection[str]) -> Mapping[str, TagMutability]:
        """Return which tags may move in each repository that exists, by name, in as few requests as possible."""

    @mutates("the tag rules are set", needs_lock=False)
    def set_tag_mutability(self, repository: str, rules: TagMutability) -> None:
        """Set which tags of a repository may move."""

    def review_service(self, environment: Environment) -> ServiceReview:
        """Return what a deployment of an environment's service on ECS depends on. The review changes nothing.

        Raises:
            NotFound: there is no such service.
            Unsupported: the environment is on another platform.
        """

    def lifecycle_rules(self, repository: str) -> tuple[LifecycleRule, ...]:
        """Return the rules of a repository's lifecycle policy; empty when the repository has none.

        Raises:
            Refused: the policy cannot be read.
        """

    def list_images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return every image of a repository, including untagged ones."""

    def is_blob_mounting_enabled(self) -> bool:
        """Return whether blobs can be mounted from one repository in another, without a transfer."""

    @mutates("blob mounting is enabled", needs_lock=False)
    def enable_blob_mounting(self) -> None:
        """Allow blobs to be mounted from one repository in another, without a transfer."""
