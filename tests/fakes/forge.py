"""A server with pull requests and release pages, in memory."""

from __future__ import annotations

from attrs import Factory, define, evolve

from kaizen_tasks.domain.forge import PullRequest, ReleasePage
from kaizen_tasks.errors import KaizenError


@define
class FakeForge:
    """GitHub, without a network.

    Attributes:
        problem: why it cannot be asked; empty if it can.
        requests: its open pull requests, by source and target.
        pages: the release pages, by tag.
        latest: the tag of the newest release.
        failure: raised instead of an answer.
    """

    problem: str = ""
    requests: dict[tuple[str, str], PullRequest] = Factory(dict)
    pages: dict[str, ReleasePage] = Factory(dict)
    latest: str = ""
    failure: KaizenError | None = None
    _count: int = 0

    def server(self) -> str:
        return "GitHub"

    def access_problem(self) -> str:
        return self.problem

    def files_url(self, ref: str) -> str:
        return f"https://github.com/team/app/blob/{ref}/"

    def find_pull_request(self, *, source: str, target: str) -> PullRequest | None:
        self._fail()
        return self.requests.get((source, target))

    def open_pull_request(self, *, source: str, target: str, title: str, body: str) -> PullRequest:
        self._fail()
        if (source, target) not in self.requests:
            self._count += 1
            url = f"https://github.com/team/app/pull/{self._count}"
            self.requests[source, target] = PullRequest(number=self._count, url=url, title=title, body=body)
        return self.requests[source, target]

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        self._fail()
        for branches, request in self.requests.items():
            if request.number == number:
                self.requests[branches] = evolve(request, title=title, body=body)

    def find_release(self, tag: str) -> ReleasePage | None:
        self._fail()
        return self.pages.get(tag)

    def publish_release(self, page: ReleasePage, *, is_latest: bool) -> None:
        self._fail()
        self.pages[page.tag] = page
        if is_latest:
            self.latest = page.tag

    def _fail(self) -> None:
        if self.failure:
            raise self.failure
