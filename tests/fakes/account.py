"""An account that keeps its rules in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.aws_account import CallerIdentity, DeniedAction, LedgerTable, Permission
from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage
from kaizen_tasks.domain.service_review import ServiceReview
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.ports.cloud import AccountAdmin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kaizen_tasks.domain.environment import Environment

TABLE = LedgerTable(name="kaizen-web", exists=True, point_in_time_recovery=True)
GOOD_REVIEW = ServiceReview(
    definition="web:7",
    desired_count=2,
    failure_detectors=("circuit breaker",),
    rolls_back=True,
    log_group="/ecs/web",
    has_log_group=True,
)
IMMUTABLE_VERSIONS = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))


@define(kw_only=True)
class FakeAccountAdmin(AccountAdmin):
    """An account in which everything is as it should be, until a test changes it.

    Attributes:
        skew_seconds: seconds by which this machine's clock is ahead.
        table_state: the table.
        rules: which tags may move, by repository.
        policies: lifecycle rules, by repository.
        images_by_repository: images, by repository.
        reviews: what services of ECS depend on, by name; others are as they should be.
        is_mounting_blobs: whether blobs are shared.
        task_permissions: what the credentials suffice for.
        denied_actions: what IAM's simulator denies.
        failures: raised by a method, by its name.
        on_repository_created: called with the name of a new repository.
        changes: every change that was asked for, in order.
    """

    skew_seconds: float = 0.0
    table_state: LedgerTable = TABLE
    rules: dict[str, TagMutability] = field(factory=dict)
    policies: dict[str, tuple[LifecycleRule, ...]] = field(factory=dict)
    images_by_repository: dict[str, tuple[StoredImage, ...]] = field(factory=dict)
    reviews: dict[str, ServiceReview] = field(factory=dict)
    is_mounting_blobs: bool = True
    task_permissions: tuple[Permission, ...] = (Permission(task="push"), Permission(task="deploy"))
    denied_actions: tuple[DeniedAction, ...] = ()
    failures: dict[str, KaizenError] = field(factory=dict)
    changes: list[str] = field(factory=list)
    on_repository_created: Callable[[str], None] = lambda _: None

    def create(self, *names: str) -> None:
        """Create repositories whose versions stay and whose `latest` moves."""
        self.rules.update(dict.fromkeys(names, IMMUTABLE_VERSIONS))

    def caller(self) -> CallerIdentity:
        self._fail("caller")
        return CallerIdentity(account_id="123456789012", principal="arn:aws:iam::123456789012:user/ada")

    def supported_regions(self, platform: str) -> tuple[str, ...]:
        self._fail("supported_regions")
        return ("eu-west-1", "us-east-1")

    def endpoint_urls(self) -> tuple[str, ...]:
        self._fail("endpoint_urls")
        return ("https://sts.eu-west-1.amazonaws.com", "https://api.ecr.eu-west-1.amazonaws.com")

    def clock_skew(self) -> float:
        self._fail("clock_skew")
        return self.skew_seconds

    def permissions(self) -> tuple[Permission, ...]:
        self._fail("permissions")
        return self.task_permissions

    def denied_changes(self, environments: Sequence[Environment]) -> tuple[DeniedAction, ...]:
        self._fail("denied_changes")
        return self.denied_actions

    def ledger_table(self) -> LedgerTable:
        self._fail("ledger_table")
        return self.table_state

    def create_table(self) -> None:
        self._change("create_table")
        self.table_state = evolve(self.table_state, exists=True, point_in_time_recovery=True)

    def tag_mutability(self, repository: str) -> TagMutability:
        self._fail("tag_mutability")
        if repository not in self.rules:
            raise NotFound(f"there is no image repository {repository}", hint="create it")
        return self.rules[repository]

    def create_repository(self, name: str, rules: TagMutability) -> None:
        self._change("create_repository", name)
        self.rules[name] = rules
        self.on_repository_created(name)

    def create_repository_like(self, neighbour: str, name: str, rules: TagMutability) -> None:
        self._change("create_repository_like", neighbour, name)
        self.tag_mutability(neighbour)
        self.rules[name] = rules
        self.policies[name] = self.policies.get(neighbour, ())
        self.on_repository_created(name)

    def tag_mutabilities(self, repositories: Collection[str]) -> Mapping[str, TagMutability]:
        self._fail("tag_mutability")
        return {name: self.rules[name] for name in repositories if name in self.rules}

    def set_tag_mutability(self, repository: str, rules: TagMutability) -> None:
        self._change("set_tag_mutability", repository)
        self.rules[repository] = rules

    def review_service(self, environment: Environment) -> ServiceReview:
        self._fail("review_service")
        return self.reviews.get(environment.service, GOOD_REVIEW)

    def lifecycle_rules(self, repository: str) -> tuple[LifecycleRule, ...]:
        self._fail("lifecycle_rules")
        return self.policies.get(repository, ())

    def list_images(self, repository: str) -> tuple[StoredImage, ...]:
        self._fail("list_images")
        return self.images_by_repository.get(repository, ())

    def is_blob_mounting_enabled(self) -> bool:
        self._fail("is_blob_mounting_enabled")
        return self.is_mounting_blobs

    def enable_blob_mounting(self) -> None:
        self._change("enable_blob_mounting")
        self.is_mounting_blobs = True

    def _fail(self, method: str) -> None:
        if method in self.failures:
            raise self.failures[method]

    def _change(self, method: str, *words: str) -> None:
        self._fail(method)
        self.changes.append(" ".join((method, *words)))
