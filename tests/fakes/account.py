"""An account that keeps its rules in memory."""

from __future__ import annotations

from attrs import define, evolve, field

from kaizen_tasks.domain.aws_account import Caller, Permission, Table
from kaizen_tasks.domain.lifecycle import Rule, StoredImage
from kaizen_tasks.domain.tag_mutability import TagRules
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.ports.cloud import Account

TABLE = Table(name="kaizen-web", exists=True, recoverable=True)
KEPT = TagRules(mutability="IMMUTABLE_WITH_EXCLUSION", filters=("latest",))


@define(kw_only=True)
class FakeAccount(Account):
    """An account in which everything is as it should be, until a test changes it.

    Attributes:
        ahead: seconds by which this machine's clock is ahead.
        ledger: the table.
        rules: which tags may move, by repository.
        policies: lifecycle rules, by repository.
        stored: images, by repository.
        mounting: whether blobs are shared.
        allowed: what the credentials suffice for.
        failures: raised by a method, by its name.
        changes: every change that was asked for, in order.
    """

    ahead: float = 0.0
    ledger: Table = TABLE
    rules: dict[str, TagRules] = field(factory=dict)
    policies: dict[str, tuple[Rule, ...]] = field(factory=dict)
    stored: dict[str, tuple[StoredImage, ...]] = field(factory=dict)
    mounting: bool = True
    allowed: tuple[Permission, ...] = (Permission(task="push"), Permission(task="deploy"))
    failures: dict[str, KaizenError] = field(factory=dict)
    changes: list[str] = field(factory=list)

    def create(self, *names: str) -> None:
        """Create repositories whose versions stay and whose `latest` moves."""
        self.rules.update(dict.fromkeys(names, KEPT))

    def caller(self) -> Caller:
        """Return Ada."""
        self._fail("caller")
        return Caller(account="123456789012", principal="arn:aws:iam::123456789012:user/ada")

    def regions(self) -> tuple[str, ...]:
        """Return two regions."""
        self._fail("regions")
        return ("eu-west-1", "us-east-1")

    def skew(self) -> float:
        """Return what the test says."""
        self._fail("skew")
        return self.ahead

    def permissions(self) -> tuple[Permission, ...]:
        """Return what the test says."""
        self._fail("permissions")
        return self.allowed

    def table(self) -> Table:
        """Return the table."""
        self._fail("table")
        return self.ledger

    def create_table(self) -> None:
        """Create the table."""
        self._change("create_table")
        self.ledger = evolve(self.ledger, exists=True, recoverable=True)

    def tag_rules(self, repository: str) -> TagRules:
        """Return which tags may move."""
        self._fail("tag_rules")
        if repository not in self.rules:
            raise NotFound(f"there is no image repository {repository}", hint="create it")
        return self.rules[repository]

    def set_tag_rules(self, repository: str, rules: TagRules) -> None:
        """Say which tags may move."""
        self._change("set_tag_rules", repository)
        self.rules[repository] = rules

    def lifecycle(self, repository: str) -> tuple[Rule, ...]:
        """Return the rules, if there are any."""
        self._fail("lifecycle")
        return self.policies.get(repository, ())

    def images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return the images."""
        self._fail("images")
        return self.stored.get(repository, ())

    def mounts_blobs(self) -> bool:
        """Return whether blobs are shared."""
        self._fail("mounts_blobs")
        return self.mounting

    def mount_blobs(self) -> None:
        """Share blobs."""
        self._change("mount_blobs")
        self.mounting = True

    def _fail(self, method: str) -> None:
        if method in self.failures:
            raise self.failures[method]

    def _change(self, method: str, *words: str) -> None:
        self._fail(method)
        self.changes.append(" ".join((method, *words)))
