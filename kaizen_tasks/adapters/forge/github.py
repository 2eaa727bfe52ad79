"""GitHub, and GitHub Enterprise: https://docs.github.com/en/rest."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from attrs import frozen

from kaizen_tasks.adapters.forge.api import ApiResponse, UsableForge
from kaizen_tasks.domain.forge import PullRequest, ReleasePage, shorten
from kaizen_tasks.errors import Refused

HEADERS = {"Accept": "application/vnd.github+json, application/json", "X-GitHub-Api-Version": "2022-11-28"}
MAX_BODY_LENGTH = 60_000
MAX_NOTES_LENGTH = 120_000
"""Characters of the description of a pull request, and of release notes; GitHub takes 65,536 and 125,000."""
MAX_LISTED_DRAFTS = "30"


@frozen(kw_only=True)
class GitHub(UsableForge):
    """A repository on GitHub; implements the port `Forge`."""

    def find_pull_request(self, *, source: str, target: str) -> PullRequest | None:
        """Return the open pull request from one branch into another; forks may have branches of the same name."""
        owner = self.api.project.path.partition("/")[0]
        documents = self.api.list(f"{self._path}/pulls", state="open", head=f"{owner}:{source}", base=target)
        requests = (_pull_request(document) for document in documents if document["head"]["ref"] == source)
        return next(requests, None)

    def open_pull_request(self, *, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or return the one that somebody else has just opened."""
        request = {"title": title, "head": source, "base": target, "body": shorten(body, limit=MAX_BODY_LENGTH)}
        response = self.api.send("POST", f"{self._path}/pulls", request, accepted={HTTPStatus.UNPROCESSABLE_ENTITY})
        if response.document is not None:
            return _pull_request(response.document)
        existing = self.find_pull_request(source=source, target=target)
        if existing is None:
            raise _unprocessable(response)
        return existing

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Change title and description of a pull request."""
        changes = {"title": title, "body": shorten(body, limit=MAX_BODY_LENGTH)}
        self.api.send("PATCH", f"{self._path}/pulls/{number}", changes)

    def find_release(self, tag: str) -> ReleasePage | None:
        """Return the release of a tag; a draft, if there is no other."""
        document = self._find_release(tag)
        return document and ReleasePage(
            tag=tag,
            title=document["name"] or "",
            notes=document["body"] or "",
            is_prerelease=document["prerelease"],
            is_draft=document["draft"],
        )

    def publish_release(self, page: ReleasePage, *, is_latest: bool) -> None:
        """Publish a release, or change the one that the tag has."""
        document = self._find_release(page.tag)
        content = {
            "tag_name": page.tag,
            "name": page.title,
            "body": shorten(page.notes, limit=MAX_NOTES_LENGTH),
            "draft": False,
            "prerelease": page.is_prerelease,
            "make_latest": "true" if is_latest and not page.is_prerelease else "false",
        }
        if document is None:
            response = self.api.send(
                "POST", f"{self._path}/releases", content, accepted={HTTPStatus.UNPROCESSABLE_ENTITY}
            )
            if response.document is not None:
                return
            document = self._find_release(page.tag)  # somebody else has just published it
            if document is None:
                raise _unprocessable(response)
        self.api.send("PATCH", f"{self._path}/releases/{document['id']}", content)

    def _find_release(self, tag: str) -> Any:
        """Return the release of a tag, or else a draft for it, which has no address by the tag; None without either."""
        if document := self.api.find(f"{self._path}/releases/tags/{quote(tag, safe='')}"):
            return document
        releases = self.api.list(f"{self._path}/releases", per_page=MAX_LISTED_DRAFTS)
        return next((release for release in releases if release["draft"] and release["tag_name"] == tag), None)

    @property
    def _path(self) -> str:
        return f"/repos/{quote(self.api.project.path)}"


def _pull_request(document: Any) -> PullRequest:
    return PullRequest(
        number=document["number"], url=document["html_url"], title=document["title"], body=document["body"] or ""
    )


def _unprocessable(response: ApiResponse) -> Refused:
    return Refused(
        f"GitHub does not accept this (HTTP {response.status}: {response.reason})",
        hint="correct what it names, and run the same command again",
    )
