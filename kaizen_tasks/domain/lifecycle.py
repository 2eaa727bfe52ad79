"""Which images a repository's lifecycle policy would take away.

The rules are ECR's: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

from __future__ import annotations

import fnmatch
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@frozen(kw_only=True)
class StoredImage:
    """An image as the repository lists it.

    Attributes:
        digest: of its manifest.
        tags: its names.
        pushed: when it arrived, in UTC.
        pulled: when it was last fetched, in UTC; None when never, or not recorded.
    """

    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    pulled: datetime | None = None


@frozen(kw_only=True)
class Rule:
    """A rule that deletes or archives images; an archived one cannot be started either.

    Attributes:
        priority: of two rules that select an image, only the one with the lower number applies.
        status: `tagged`, `untagged` or `any`.
        patterns: the image needs a tag for each of them; `*` stands for any characters.
        most: how many of the selected images stay, the newest; None when age decides.
        days: since the last push, or pull; None when the number decides.
        pulls: whether age counts from the last pull.
    """

    priority: int
    status: str
    patterns: tuple[str, ...] = ()
    most: int | None = None
    days: int | None = None
    pulls: bool = False

    def selects(self, image: StoredImage) -> bool:
        """Return whether the rule is about an image at all."""
        if self.status == "any":
            return True
        if self.status == "untagged":
            return not image.tags
        wanted = self.patterns or ("*",)
        return all(any(fnmatch.fnmatchcase(tag, pattern) for tag in image.tags) for pattern in wanted)

    def takes(self, selected: Sequence[StoredImage], now: datetime) -> tuple[StoredImage, ...]:
        """Return those of the selected images that the rule takes away."""
        if self.most is not None:
            return tuple(sorted(selected, key=lambda image: image.pushed, reverse=True)[self.most :])
        if self.days is None:
            return ()
        oldest = now - timedelta(days=self.days)
        return tuple(image for image in selected if self._age_counts_from(image) < oldest)

    def _age_counts_from(self, image: StoredImage) -> datetime:
        return (image.pulled if self.pulls else None) or image.pushed


def doomed(rules: Iterable[Rule], images: Sequence[StoredImage], now: datetime) -> dict[str, Rule]:
    """Return what a policy takes away: for each digest the rule that does it.

    An image that a rule selects is out of reach of every later rule, but counts there.

    Args:
        rules: the whole policy.
        images: the whole repository.
        now: the moment at which the policy is carried out.
    """
    found: dict[str, Rule] = {}
    spoken_for: set[str] = set()
    for rule in sorted(rules, key=lambda each: each.priority):
        selected = tuple(image for image in images if rule.selects(image))
        found |= {image.digest: rule for image in rule.takes(selected, now) if image.digest not in spoken_for}
        spoken_for |= {image.digest for image in selected}
    return found
