"""Compare URLs of code hosts: parse and build them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.remote_url import web_url

if TYPE_CHECKING:
    from semver import Version

_COMPARE_URL = re.compile(
    r"(?P<base>.+?/compare/)(?P<left>[^?#]+?)(?P<dots>\.{2,3}|%0[Dd])(?P<right>[^?#]+)(?P<rest>[?#].*)?"
)
_TAG_URL = re.compile(r"(?P<repository>.+?)(?:/-)?/(?:releases/tag|releases|tags|src/tag|tag|src)/[^/]+/?")
_VERSION_NUMBER = re.compile(r"\d+\.\d+")


@attrs.frozen(kw_only=True)
class CompareUrl:
    """A URL that compares two tags or branches; in Bitbucket's URLs, the newer one comes first."""

    base: str
    older: str
    newer: str
    separator: str = "..."
    newer_first: bool = False
    suffix: str = ""

    @property
    def url(self) -> str:
        """Return the URL of the comparison."""
        left, right = (self.newer, self.older) if self.newer_first else (self.older, self.newer)
        return f"{self.base}{left}{self.separator}{right}{self.suffix}"


@attrs.frozen(kw_only=True)
class CodeHost:
    """A repository on a code host, identified by its web URL."""

    repository_url: str

    @property
    def _host(self) -> str:
        return self.repository_url.partition("://")[2].partition("/")[0].casefold()

    def compare_url(self, older: str, newer: str) -> CompareUrl:
        """Return the compare URL of two tags or branches."""
        if "bitbucket" in self._host:
            base = f"{self.repository_url}/branches/compare/"
            return CompareUrl(base=base, older=older, newer=newer, separator="..", newer_first=True)
        path = "/-/compare/" if "gitlab" in self._host else "/compare/"
        return CompareUrl(base=self.repository_url + path, older=older, newer=newer)

    def tag_url(self, tag: str) -> str:
        """Return the URL of a tag, which is the link of the first release."""
        if "bitbucket" in self._host:
            return f"{self.repository_url}/src/{tag}"
        path = "/-/tags/" if "gitlab" in self._host else "/releases/tag/"
        return self.repository_url + path + tag


def is_tag_of(ref: str, version: str) -> bool:
    """Return whether a ref is the tag of a version, with any prefix."""
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
    """Parse the compare URL of any code host; return None for another URL."""
    match = _COMPARE_URL.fullmatch(url)
    if not match:
        return None
    left, right = match["left"], match["right"]
    is_swapped = bool(_VERSION_NUMBER.search(right)) and not _VERSION_NUMBER.search(left)
    newer_first = "/branches/compare/" in match["base"] or is_swapped
    older, newer = (right, left) if newer_first else (left, right)
    base, dots, suffix = match["base"], match["dots"], match["rest"] or ""
    return CompareUrl(base=base, older=older, newer=newer, separator=dots, newer_first=newer_first, suffix=suffix)


def parse_repository_url(repository_url: str) -> CodeHost | None:
    """Return the repository of a web or git URL, without user and password, or None."""
    url = web_url(repository_url)
    return CodeHost(repository_url=url) if url else None


def code_host_from_links(urls: Iterable[str]) -> CodeHost | None:
    """Return the repository of the first URL that links to a tag, or None."""
    tag_matches = (_TAG_URL.fullmatch(url) for url in urls)
    return next((parse_repository_url(tag_match["repository"]) for tag_match in tag_matches if tag_match), None)
