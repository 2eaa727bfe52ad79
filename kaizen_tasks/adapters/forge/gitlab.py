"""GitLab, on gitlab.com or elsewhere: https://docs.gitlab.com/api/rest/."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from attrs import frozen

from kaizen_tasks.adapters.forge.api import UsableForge
from kaizen_tasks.domain.forge import PullRequest, ReleasePage, shorten
from kaizen_tasks.errors import Refused

MAX_LENGTH = 1_000_000
"""Characters of a description that GitLab takes."""
PRERELEASE_MARK = " (pre-release)"
"""Ends the title of a pre-release: GitLab has no other mark for one."""


@frozen(kw_only=True)
class GitLab(UsableForge):
    """A project on GitLab; implements the port `Forge`."""

    def find_pull_request(self, *, source: str, target: str) -> PullRequest | None:
        """Return the open merge request from one branch into another."""
        path = f"{self._path}/merge_requests"
        documents = self.api.list(path, state="opened", source_branch=source, target_branch=target)
        return next(map(_merge_request, documents), None)

    def open_pull_request(self, *, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a merge request, or return the one that somebody else has just opened."""
        content = {
            "source_branch": source,
            "target_branch": target,
            "title": title,
            "description": shorten(body, limit=MAX_LENGTH),
            "remove_source_branch": True,
        }
        response = self.api.send("POST", f"{self._path}/merge_requests", content, accepted={HTTPStatus.CONFLICT})
        if response.document is not None:
            return _merge_request(response.document)
        existing = self.find_pull_request(source=source, target=target)
        if existing is None:
            raise Refused(f"GitLab does not accept this (HTTP 409: {response.reason})")
        return existing

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Change title and description of a merge request."""
        changes = {"title": title, "description": shorten(body, limit=MAX_LENGTH)}
        self.api.send("PUT", f"{self._path}/merge_requests/{number}", changes)

    def find_release(self, tag: str) -> ReleasePage | None:
        """Return the release of a tag."""
        document = self.api.find(f"{self._path}/releases/{quote(tag, safe='')}")
        if document is None:
            return None
        title = document["name"] or ""
        return ReleasePage(
            tag=tag,
            title=title.removesuffix(PRERELEASE_MARK),
            notes=document["description"] or "",
            is_prerelease=title.endswith(PRERELEASE_MARK),
        )

    def publish_release(self, page: ReleasePage, *, is_latest: bool) -> None:
        """Publish a release, or change the one that the tag has; GitLab takes the one of the latest date for newest."""
        mark = PRERELEASE_MARK if page.is_prerelease else ""
        content = {"name": f"{page.title}{mark}", "description": shorten(page.notes, limit=MAX_LENGTH)}
        if self.find_release(page.tag) is None:
            creation = {"tag_name": page.tag, **content}
            response = self.api.send("POST", f"{self._path}/releases", creation, accepted={HTTPStatus.CONFLICT})
            if response.document is not None:
                return
        self.api.send("PUT", f"{self._path}/releases/{quote(page.tag, safe='')}", content)

    @property
    def _path(self) -> str:
        return f"/projects/{quote(self.api.project.path, safe='')}"


def _merge_request(document: Any) -> PullRequest:
    return PullRequest(
        number=document["iid"],
        url=document["web_url"],
        title=document["title"],
        body=document["description"] or "",
    )
