"""Find the images that the lifecycle policy of a repository expires.

The rules are ECR's: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attrs import frozen


@frozen(kw_only=True)
class StoredImage:
    """An image in a repository.

    Attributes:
        digest: digest of the image's manifest.
        tags: the image's tags.
        pushed_at: when the image was pushed, in UTC.
        pulled_at: when the image was last pulled, in UTC; None when never, or not recorded.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    pulled_at: datetime | None = None


@frozen(kw_only=True)
class LifecycleRule:
    """A rule that deletes or archives images, which can then no longer be deployed.

    Attributes:
        priority: number of the rule; of the rules that select an image, that with the lowest number applies.
        tag_status: `tagged`, `untagged` or `any`.
        tag_patterns: patterns, each of which must match a tag of the image; `*` matches any characters.
        max_images: number of selected images that are kept, newest first; None when age decides.
        max_age_days: maximum age in days; None when the number decides.
        uses_pull_time: whether age counts from the last pull instead of the push.
    """

    priority: int
    tag_status: str
    tag_patterns: tuple[str, ...] = ()
    max_images: int | None = None
    max_age_days: int | None = None
    uses_pull_time: bool = False

    def selects(self, image: StoredImage) -> bool:
        """Return whether the rule selects an image."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        required_patterns = self.tag_patterns or ("*",)
        return all(any(fnmatch.fnmatchcase(tag, pattern) for tag in image.tags) for pattern in required_patterns)

    def images_to_expire(self, candidates: Sequence[StoredImage], now: datetime) -> tuple[StoredImage, ...]:
        """Return the images that the rule expires, of the candidates that it selects."""
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
    """Return the rules that expire images, by the image's digest.

    An image that one rule selects is never expired by a later rule, but counts towards the later rule's `max_images`.

    Args:
        rules: all rules of the policy.
        images: all images of the repository.
        now: time at which the policy is applied.
    """
    rule_by_digest: dict[str, LifecycleRule] = {}
    selected_digests: set[str] = set()
    for rule in sorted(rules, key=lambda item: item.priority):
        candidates = tuple(image for image in images if rule.selects(image))
        expired = (image.digest for image in rule.images_to_expire(candidates, now))
        rule_by_digest |= dict.fromkeys((digest for digest in expired if digest not in selected_digests), rule)
        selected_digests |= {image.digest for image in candidates}
    return rule_by_digest
