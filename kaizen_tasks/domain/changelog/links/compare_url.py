"""URLs that compare two versions on code hosts: parse them, and change the versions in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import attrs

if TYPE_CHECKING:
    from semver import Version

_TAG_PREFIX = r"(?i)GT|refs(?:/|%2F)tags(?:/|%2F)"
"""What a tag has before its name: GT in Azure, beside GB and GC of branches and commits; or it is a full ref."""

_RANGE = (  # also of Pagure, Gitiles and cgit
    r"(?P<base>.+?/(?:compare/|c/(?!.*compare/)|\+(?:log)?/|(?:short)?log/?\?(?:[^#]*&)?q=))"
    r"(?P<left>[^?#&]+?)(?P<separator>\.{2,3}|%0[Dd])(?P<right>[^?#&]+)(?P<rest>[?#&].*)?"
)
_PARAMETERS = (
    ("baseVersion", "targetVersion"),  # Azure
    ("targetBranch", "sourceBranch"),  # Bitbucket Server
    ("from", "to"),  # GitLab's form
    ("id2", "id"),  # cgit
)
"""The parameters of a query for the older and the newer version."""

TAG_CHARACTERS = "/@!$'()*,;:=+~"
"""Characters of tags that the path of a URL may have."""

_VERSION_NUMBER = r"\d+\.\d+"


@attrs.frozen(kw_only=True)
class CompareUrl:
    """A URL that compares two tags or branches.

    Attributes:
        base: the URL before the first of the two.
        older: the older one as it is written; empty for none.
        newer: the newer one as it is written; empty if the host has no name for what is not released.
        separator: the text between the two.
        newer_first: whether the newer one comes first, as on Bitbucket.
        tag_prefix: what comes before the name of a tag.
        suffix: the URL after both.
    """

    base: str
    older: str
    newer: str
    separator: str = "..."
    newer_first: bool = False
    tag_prefix: str = ""
    suffix: str = ""

    @property
    def url(self) -> str:
        """Return the URL of the comparison."""
        left, right = (self.newer, self.older) if self.newer_first else (self.older, self.newer)
        return f"{self.base}{left}{self.separator}{right}{self.suffix}"

    @property
    def head(self) -> str:
        """Return the name of what is not released, or an empty string: a query has to say what kind of name it is."""
        return "" if self.separator.startswith("&") else "HEAD"

    def between(self, older_tag: str, newer_tag: str = "") -> CompareUrl:
        """Return the comparison of other tags; an empty name of a newer one leaves that as it is."""
        newer = self.tag_ref(newer_tag) if newer_tag else self.newer
        return attrs.evolve(self, older=self.tag_ref(older_tag) if older_tag else "", newer=newer)

    def ending_at(self, tag: str) -> CompareUrl:
        """Return the comparison with another newer tag."""
        return attrs.evolve(self, newer=self.tag_ref(tag))

    def tag_ref(self, tag: str) -> str:
        """Return the name of a tag as this URL has it."""
        return self.tag_prefix + quote(tag, safe="" if "?" in self.base else TAG_CHARACTERS)


def is_tag_of(ref: str, version: str) -> bool:
    """Return whether a ref is the tag of a version, with any prefix."""
    ref = unquote(ref)
    return ref.endswith(version) and not re.search(r"[\d.]$", ref.removesuffix(version))


def version_of_ref(ref: str) -> Version | None:
    """Return the version at the end of a tag with any prefix; None when there is none."""
    from semver import Version

    match = re.search(r"(?<![\d.])\d+\.\d+\.\d+(?:[-+].+)?$", ref)
    try:
        return Version.parse(match.group()) if match else None
    except ValueError:
        return None


def parse_compare_url(url: str) -> CompareUrl | None:
    """Parse a URL that compares two versions, of any code host; return None for another URL."""
    match = re.fullmatch(_RANGE, url)
    if match:
        left, right = match["left"], match["right"]
        is_swapped = bool(re.search(_VERSION_NUMBER, right)) and not re.search(_VERSION_NUMBER, left)
        return _compare_url(match, newer_first="/branches/compare/" in match["base"] or is_swapped)
    for older, newer in _PARAMETERS if "?" in url else ():
        for first, second in ((older, newer), (newer, older)):
            match = _match_parameters(first, second, url)
            if match:
                return _compare_url(match, newer_first=first == newer)
    return None


def _match_parameters(first: str, second: str, url: str) -> re.Match[str] | None:
    return re.fullmatch(
        rf"(?P<base>.+?\?(?:[^#]*&)?{first}=)(?P<left>[^&#]+)"
        rf"(?P<separator>&(?:[^#]*&)?{second}=)(?P<right>[^&#]+)(?P<rest>[&#].*)?",
        url,
    )


def _compare_url(match: re.Match[str], *, newer_first: bool) -> CompareUrl:
    older, newer = (match["right"], match["left"]) if newer_first else (match["left"], match["right"])
    prefix = re.match(_TAG_PREFIX, older) or re.match(_TAG_PREFIX, newer)
    return CompareUrl(
        base=match["base"],
        older=older,
        newer=newer,
        separator=match["separator"],
        newer_first=newer_first,
        tag_prefix=prefix.group() if prefix else "",
        suffix=match["rest"] or "",
    )
