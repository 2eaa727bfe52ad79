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
        pushed_at: when it arrived, in UTC.
        pulled_at: when it was last fetched, in UTC; None when never, or not recorded.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    pulled_at: datetime | None = None


@frozen(kw_only=True)
class LifecycleRule:
    """A rule that deletes or archives images; an archived one cannot be started either.

    Attributes:
        priority: of two rules that select an image, only the one with the lower number applies.
        tag_status: `tagged`, `untagged` or `any`.
        tag_patterns: the image needs a tag for each of them; `*` stands for any characters.
        max_images: how many of the selected images stay, the newest; None when age decides.
        max_age_days: since the last push, or pull; None when the number decides.
        uses_pull_time: whether age counts from the last pull.
    """

    priority: int
    tag_status: str
    tag_patterns: tuple[str, ...] = ()
    max_images: int | None = None
    max_age_days: int | None = None
    uses_pull_time: bool = False

    def selects(self, image: StoredImage) -> bool:
        """Return whether the rule is about an image at all."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        required_patterns = self.tag_patterns or ("*",)
        return all(any(fnmatch.fnmatchcase(tag, pattern) for tag in image.tags) for pattern in required_patterns)

    def images_to_expire(self, candidates: Sequence[StoredImage], now: datetime) -> tuple[StoredImage, ...]:
        """Return those of the selected images that the rule takes away."""
        if self.max_images is not None:
            return tuple(sorted(candidates, key=lambda image: image.pushed_at, reverse=True)[self.max_images :])
        if self.max_age_days is None:
            return ()
        cutoff = now - timedelta(days=self.max_age_days)
        return tuple(image for image in candidates if self._age_reference(image) < cutoff)

    def _age_reference(self, image: StoredImage) -> datetime:
        return (image.pulled_at if self.uses_pull_time else None) or image.pushed_at


def expiring_images(
    rules: Iterable[LifecycleRule], images: Sequence[StoredImage], now: datetime
) -> dict[str, LifecycleRule]:
    """Return what a policy takes away: for each digest the rule that does it.

    An image that a rule selects is out of reach of every later rule, but counts there.

    Args:
        rules: the whole policy.
        images: the whole repository.
        now: the moment at which the policy is carried out.
    """
    rule_by_digest: dict[str, LifecycleRule] = {}
    selected_digests: set[str] = set()
    for rule in sorted(rules, key=lambda item: item.priority):
        candidates = tuple(image for image in images if rule.selects(image))
        rule_by_digest |= {
            image.digest: rule
            for image in rule.images_to_expire(candidates, now)
            if image.digest not in selected_digests
        }
        selected_digests |= {image.digest for image in candidates}
    return rule_by_digest
