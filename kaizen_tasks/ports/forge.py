"""The port of the web side of the remote: pull or merge requests, and the release pages of tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.forge import PullRequest, ReleasePage


class Forge(Protocol):
    """GitHub or GitLab, as a token allows. Every method that asks the server raises `KaizenError` without access.

    Raises:
        Denied: the token is rejected, or lacks a permission.
        NotFound: the server shows no such repository to the token.
        Unreachable: the server does not answer.
        Refused: it does not accept what it is asked for, or not so soon.
    """

    def server(self) -> str:
        """Return what people call the server: `GitHub`; an empty string when its kind is unknown."""

    def access_problem(self) -> str:
        """Return why the server cannot be asked, with the remedy: there is no token; empty if it can."""

    def files_url(self, ref: str) -> str:
        """Return the URL below which the server shows the files of a tag or branch."""

    def find_pull_request(self, *, source: str, target: str) -> PullRequest | None:
        """Return the open pull request from one branch into another; None when there is none."""

    @mutates("the pull request is open", needs_lock=False)
    def open_pull_request(self, *, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or return the one that somebody else has just opened."""

    @mutates("the pull request is updated", needs_lock=False)
    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Change title and description of a pull request."""

    def find_release(self, tag: str) -> ReleasePage | None:
        """Return the release page of a tag; None when there is none."""

    @mutates("the release page is published", needs_lock=False)
    def publish_release(self, page: ReleasePage, *, is_latest: bool) -> None:
        """Publish the page of a tag, or replace what the one that exists shows; files attached to it stay.

        Args:
            page: what it shows.
            is_latest: whether the server presents it as the newest release.
        """
