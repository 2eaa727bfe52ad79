"""Compare links of code hosts: taking one apart, moving it on, and writing the first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

_RANGE = re.compile(
    r"(?P<base>.+?/compare/)(?P<left>[^?#]+?)(?P<dots>\.{2,3}|%0[Dd])(?P<right>[^?#]+)(?P<rest>[?#].*)?"
)
_TAG_PAGE = re.compile(r"(?P<repository>.+?)(?:/-)?/(?:releases/tag|releases|tags|src/tag|tag|src)/[^/]+/?")
_SSH = re.compile(r"(?:ssh://)?(?:[^@/]+@)(?P<host>[^:/]+)(?::\d+)?[:/](?P<path>.+)")
_HTTP = re.compile(r"(?P<scheme>https?)://(?:[^@/]*@)?(?P<rest>[^?#]+)")
_VERSIONED = re.compile(r"\d+\.\d+")


@attrs.frozen(kw_only=True)
class Range:
    """A comparison of two tags or branches; Bitbucket's has the newer one first."""

    base: str
    older: str
    newer: str
    dots: str = "..."
    newer_first: bool = False
    rest: str = ""

    @property
    def url(self) -> str:
        """Return the address of the comparison."""
        left, right = (self.newer, self.older) if self.newer_first else (self.older, self.newer)
        return f"{self.base}{left}{self.dots}{right}{self.rest}"


@attrs.frozen(kw_only=True)
class Forge:
    """A repository on a code host, as far as its addresses go."""

    repository: str

    @property
    def _host(self) -> str:
        return self.repository.partition("://")[2].partition("/")[0].casefold()

    def compare(self, older: str, newer: str) -> Range:
        """Compare two tags or branches."""
        if "bitbucket" in self._host:
            base = f"{self.repository}/branches/compare/"
            return Range(base=base, older=older, newer=newer, dots="..", newer_first=True)
        middle = "/-/compare/" if "gitlab" in self._host else "/compare/"
        return Range(base=self.repository + middle, older=older, newer=newer)

    def tag_page(self, tag: str) -> str:
        """Return the address of a tag, for the first release of all."""
        if "bitbucket" in self._host:
            return f"{self.repository}/src/{tag}"
        middle = "/-/tags/" if "gitlab" in self._host else "/releases/tag/"
        return self.repository + middle + tag


def names(ref: str, version: str) -> bool:
    """Tell whether a tag is that of a version, whatever stands in front of the number."""
    return ref.endswith(version) and not re.search(r"[\d.]$", ref.removesuffix(version))


def read_range(url: str) -> Range | None:
    """Take the address of a comparison apart, whatever the host."""
    match = _RANGE.fullmatch(url)
    if not match:
        return None
    left, right = match["left"], match["right"]
    newer_first = "/branches/compare/" in match["base"] or bool(
        _VERSIONED.search(right) and not _VERSIONED.search(left)
    )
    older, newer = (right, left) if newer_first else (left, right)
    return Range(
        base=match["base"],
        older=older,
        newer=newer,
        dots=match["dots"],
        newer_first=newer_first,
        rest=match["rest"] or "",
    )


def forge(repository_url: str) -> Forge | None:
    """Recognise a repository by its address for browsers or for git; user and password are left out."""
    ssh = _SSH.fullmatch(repository_url) if not repository_url.startswith("http") else None
    http = _HTTP.match(repository_url)
    if ssh:
        address = f"https://{ssh['host']}/{ssh['path']}"
    elif http:
        address = f"{http['scheme']}://{http['rest']}"
    else:
        return None
    return Forge(repository=address.rstrip("/").removesuffix(".git"))


def forge_of(urls: Iterable[str]) -> Forge | None:
    """Recognise the repository from links to its tags."""
    pages = (_TAG_PAGE.fullmatch(url) for url in urls)
    return next((forge(page["repository"]) for page in pages if page), None)
