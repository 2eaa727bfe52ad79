"""Which tags of an image repository may be moved."""

from __future__ import annotations

import fnmatch
from typing import Literal

from attrs import frozen

Mutability = Literal["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]
"""ECR's words; with an exclusion, the opposite holds for the tags that it names."""

MOST_FILTERS = 5
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""

MOVING = "latest"
"""The tag that deployments move."""

SAMPLE = "v1.2.3"
"""Stands for every version's tag."""


@frozen(kw_only=True)
class TagRules:
    """Which tags of a repository may be moved to other bytes.

    Attributes:
        mutability: what holds for most tags.
        filters: tags for which the opposite holds; `*` stands for any characters.
    """

    mutability: Mutability
    filters: tuple[str, ...] = ()

    def may_move(self, tag: str) -> bool:
        """Return whether a tag may be moved."""
        excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.filters)
        return self.mutability.startswith("MUTABLE") != excluded

    @property
    def keeps_versions(self) -> bool:
        """Whether the tag of a version stays on its bytes."""
        return not self.may_move(SAMPLE)

    @property
    def follows_deployments(self) -> bool:
        """Whether a deployment can point `:latest` at another image."""
        return self.may_move(MOVING)

    def corrected(self) -> TagRules:
        """Return the rules under which versions stay and `latest` moves; what else may move, still may."""
        if self.keeps_versions and self.follows_deployments:
            return self
        kept = self.filters if self.mutability == "IMMUTABLE_WITH_EXCLUSION" else ()
        others = tuple(each for each in kept if each != MOVING and not fnmatch.fnmatchcase(SAMPLE, each))
        return TagRules(mutability="IMMUTABLE_WITH_EXCLUSION", filters=(MOVING, *others)[:MOST_FILTERS])

    def __str__(self) -> str:
        """Say what tags are, for people: `immutable except latest`."""
        word = self.mutability.partition("_")[0].lower()
        return f"{word} except {', '.join(self.filters)}" if self.filters else word
