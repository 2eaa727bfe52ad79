"""What the refs of a remote point at."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class RemoteRefs:
    """A branch, the tags and the claimed release numbers of the remote.

    Attributes:
        branch_commit: commit of the branch; empty when the remote lacks it.
        tags: commits of all tags, peeled, by the tag's name.
        claims: commits of the releases that are under way, by the tag that each will get.
        abandoned: commits of the releases that were given up, by the tag that each would have got.
    """

    branch_commit: str
    tags: Mapping[str, str]
    claims: Mapping[str, str] = field(factory=dict)
    abandoned: Mapping[str, str] = field(factory=dict)
