"""The rule about which tags of an image repository may be moved."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from typing import Literal

from attrs import frozen

Mutability = Literal["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]
"""ECR's settings; those with an exclusion apply the opposite to tags that match a filter."""

MAX_EXCLUSION_FILTERS = 5  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
SAMPLE_VERSION_TAG = "v1.2.3"  # a tag to test filters with
VERSION_FILTER = "v*.*"  # matches the tags of all versions; a filter may have two wildcards


@frozen(kw_only=True)
class TagMutability:
    """The setting of a repository that decides which tags may be moved to another image.

    Attributes:
        mutability: ECR's setting.
        exclusion_filters: patterns of tags that are excepted; `*` matches any characters.
    """

    mutability: Mutability
    exclusion_filters: tuple[str, ...] = ()

    def may_move(self, tag: str) -> bool:
        """Return whether a tag may be moved."""
        is_excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.exclusion_filters)
        return self.mutability.startswith("MUTABLE") != is_excluded

    @property
    def protects_version_tags(self) -> bool:
        """Whether tags of versions cannot be moved."""
        return not self.may_move(SAMPLE_VERSION_TAG)

    def with_versions_protected(self, followed_tags: Collection[str]) -> TagMutability:
        """Return the setting with immutable version tags and movable followed tags; other movable tags stay movable.

        A repository that is shared by more environments than there may be filters gets the opposite setting: all tags
        are mutable but those of versions.

        Args:
            followed_tags: the tags that services follow, which deployments move; none where no tag moves.
        """
        if self.protects_version_tags and all(map(self.may_move, followed_tags)):
            return self
        if len(followed_tags) > MAX_EXCLUSION_FILTERS:
            return TagMutability(mutability="MUTABLE_WITH_EXCLUSION", exclusion_filters=(VERSION_FILTER,))
        exclusions = self.exclusion_filters if self.mutability == "IMMUTABLE_WITH_EXCLUSION" else ()
        kept = (pattern for pattern in exclusions if not fnmatch.fnmatchcase(SAMPLE_VERSION_TAG, pattern))
        filters = tuple(dict.fromkeys((*followed_tags, *kept)))[:MAX_EXCLUSION_FILTERS]
        mutability: Mutability = "IMMUTABLE_WITH_EXCLUSION" if filters else "IMMUTABLE"
        return TagMutability(mutability=mutability, exclusion_filters=filters)

    def __str__(self) -> str:
        """Return a text such as `immutable except latest`."""
        exceptions = f" except {', '.join(self.exclusion_filters)}" if self.exclusion_filters else ""
        return self.mutability.partition("_")[0].lower() + exceptions
