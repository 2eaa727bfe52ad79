"""The links of a repository on a code host: right ones, or none where it is not known what serves the repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

import attrs

from kaizen_tasks.domain.changelog.links.compare_url import TAG_CHARACTERS, CompareUrl
from kaizen_tasks.domain.git.remote_url import CodeHostKind, code_host_kind, web_url


class _LinkForm(NamedTuple):
    """How a code host writes links, below the page of the repository.

    Attributes:
        compare: path before the two versions.
        tag: path of a tag.
        separator: between the versions.
        newer_first: whether the newer version comes first.
        tag_prefix: what comes before the name of a tag.
    """

    compare: str
    tag: str
    separator: str = "..."
    newer_first: bool = False
    tag_prefix: str = ""


_FORMS: Final[Mapping[CodeHostKind, _LinkForm]] = {
    "github": _LinkForm("/compare/", "/releases/tag/"),
    "gitea": _LinkForm("/compare/", "/releases/tag/"),
    "gitlab": _LinkForm("/-/compare/", "/-/tags/"),
    "gitiles": _LinkForm("/+log/", "/+/refs/tags/", separator=".."),
    "bitbucket": _LinkForm("/branches/compare/", "/src/", separator="..", newer_first=True),
    "bitbucket-server": _LinkForm(
        "/compare/diff?targetBranch=",
        "/browse?at=refs%2Ftags%2F",
        separator="&sourceBranch=",
        tag_prefix="refs%2Ftags%2F",
    ),
    "azure": _LinkForm("/branchCompare?baseVersion=", "?version=GT", separator="&targetVersion=", tag_prefix="GT"),
}
_COMPARE_TAIL = r"(?P<form>(?:/-|/branches)?/compare/|/branchCompare\?.*|/compare/\w+\?.*|/\+log/)$"
_TAG_URL = r"(?P<page>.+?)(?P<form>/(?:-/)?(?:releases/tag|releases|tags|src/tag|tag|src)/)[^/]+/?"


@attrs.frozen(kw_only=True)
class CodeHost:
    """A repository on a code host: the URL of its page, and the kind of the host."""

    page: str
    kind: CodeHostKind

    @property
    def compare_url(self) -> CompareUrl:
        """The URL of a comparison whose versions are empty."""
        form = _FORMS[self.kind]
        return CompareUrl(
            base=self.page + form.compare,
            older="",
            newer="",
            separator=form.separator,
            newer_first=form.newer_first,
            tag_prefix=form.tag_prefix,
        )

    def tag_url(self, tag: str) -> str:
        """Return the URL of a tag, which is the link of the first release."""
        path = _FORMS[self.kind].tag
        return self.page + path + quote(tag, safe="" if "?" in path else TAG_CHARACTERS)


def find_code_host(repository_url: str) -> CodeHost | None:
    """Return the repository of a web or git URL, without user and password; None if its host is not known."""
    page = web_url(repository_url)
    kind = code_host_kind(page)
    return CodeHost(page=page, kind=kind) if kind else None


def code_host_of_tags(urls: Iterable[str]) -> CodeHost | None:
    """Return the repository of the first URL that links to a tag, or None."""
    matches = (re.fullmatch(_TAG_URL, url) for url in urls)
    hosts = (_host_of_form(match["page"], match["form"]) for match in matches if match)
    return next((host for host in hosts if host), None)


def code_host_of_comparison(compare_url: CompareUrl) -> CodeHost | None:
    """Return the repository of a URL that compares two versions, or None."""
    match = re.search(_COMPARE_TAIL, compare_url.base)
    return _host_of_form(compare_url.base[: match.start()], match["form"]) if match else None


def _host_of_form(url: str, form: str) -> CodeHost | None:
    """Return the repository of a page, whose kind the form of a link tells if the host does not."""
    host, page = find_code_host(url), web_url(url)
    if host or not page:
        return host
    if "/-/" in form:
        return CodeHost(page=page, kind="gitlab")
    return CodeHost(page=page, kind="gitea") if form in {"/compare/", "/releases/tag/", "/src/tag/"} else None
