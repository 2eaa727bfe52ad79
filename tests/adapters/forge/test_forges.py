"""GitHub and GitLab, spoken to as their API descriptions say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.adapters.forge.select import select_forge
from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.errors import ConfigurationError, Denied, KaizenError, NotFound, Refused, Unreachable
from kaizen_tasks.ports.forge import Forge
from tests.contracts.forge import PAGE, SOURCE, TARGET, ForgeContract
from tests.contracts.network import HOST, NetworkContract
from tests.fakes.clock import START, FakeClock
from tests.support.forge_server import PATH, ForgeServer, GitHubServer, GitLabServer
from tests.support.scripted_server import Reply, Request, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

RELEASES = f"GET /repos/{PATH}/releases/tags/v1.2.3"


def github(url: str, *, token: str = "t0ken", clock: FakeClock | None = None) -> Forge:
    """Return the adapter for a server."""
    environ = {"GITHUB_API_URL": url, "GITHUB_TOKEN": token}
    web_url = f"https://github.com/{PATH}"
    return select_forge(web_url, kind="", environ=environ, prober=HttpProber(), clock=clock or FakeClock())


def gitlab(url: str, *, variable: str = "GITLAB_TOKEN") -> Forge:
    """Return the adapter for a server."""
    environ = {"CI_API_V4_URL": url, variable: "t0ken"}
    web_url = f"https://gitlab.com/{PATH}"
    return select_forge(web_url, kind="", environ=environ, prober=HttpProber(), clock=FakeClock())


@frozen
class ServerSite:
    """An adapter and its server."""

    forge: Forge
    server: ForgeServer

    @property
    def latest(self) -> str:
        return self.server.latest


@pytest.fixture
def github_server() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


class TestGitHub(ForgeContract):
    @pytest.fixture
    def site(self, github_server: GitHubServer) -> ServerSite:
        return ServerSite(github(github_server.url), github_server)


class TestGitLab(ForgeContract):
    @pytest.fixture(params=["GITLAB_TOKEN", "CI_JOB_TOKEN"])
    def site(self, request: pytest.FixtureRequest) -> Iterator[ServerSite]:
        with GitLabServer() as server:
            yield ServerSite(gitlab(server.url, variable=request.param), server)


class _Client:
    """A client whose outcome is an error, or nothing."""

    def prepare(self, server: ScriptedServer) -> None:
        server.question = lambda _: "anything"
        server.script["anything"] = [Reply(status=200, body=b"[]")]

    def request(self, url: str) -> str:
        try:
            github(url).find_pull_request(source=SOURCE, target=TARGET)
        except KaizenError as error:
            return str(error)
        return ""


class TestNetwork(NetworkContract):
    @pytest.fixture
    def client(self) -> _Client:
        return _Client()

    test_authority_of_the_aws_profile_is_trusted = None  # type: ignore[assignment]  # a library has none


def refused(server: ScriptedServer, reply: Reply, *, question: str = RELEASES) -> KaizenError:
    """Return the error of a client whose question gets a reply."""
    server.script[question] = [reply]
    with pytest.raises(KaizenError) as caught:
        github(server.url).find_release("v1.2.3")
    return caught.value


def test_requests_name_the_version_of_the_api(github_server: GitHubServer) -> None:
    github(github_server.url).find_release("v1.2.3")

    headers = github_server.requests[0].headers
    assert headers["Accept"].startswith("application/vnd.github+json")
    assert headers["X-Github-Api-Version"] == "2022-11-28"
    assert headers["User-Agent"] == "kaizen-tasks"


def test_rejected_token_is_named_by_its_variable(github_server: GitHubServer) -> None:
    with pytest.raises(Denied) as caught:
        github(github_server.url, token="old").find_release("v1.2.3")

    assert "rejects the token in GITHUB_TOKEN (HTTP 401: Bad credentials)" in caught.value.message
    assert "set GITHUB_TOKEN to a token of github.com that has not expired" in caught.value.hint


def test_error_never_repeats_the_token(github_server: GitHubServer) -> None:
    body = json.dumps({"message": "no access with t0ken"}).encode()

    error = refused(github_server, Reply(status=403, body=body))

    assert "no access with [redacted]" in error.message
    assert "t0ken" not in str(error)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "60"}, "in 60 seconds"),
        (
            {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": str(int(START.timestamp()) + 600)},
            f"after {START:%H}:10",
        ),
        ({"X-Ratelimit-Remaining": "0"}, "in a minute"),
    ],
)
def test_limit_of_requests_says_when_to_go_on(
    github_server: GitHubServer, headers: dict[str, str], expected: str
) -> None:
    error = refused(github_server, Reply(status=403, body=b'{"message": "API rate limit exceeded"}', headers=headers))

    assert "takes no more requests for a while (HTTP 403: API rate limit exceeded)" in error.message
    assert expected in error.hint


def test_missing_permission_is_named(github_server: GitHubServer) -> None:
    body = b'{"message": "Resource not accessible by integration"}'

    error = refused(github_server, Reply(status=403, body=body))

    assert isinstance(error, Denied)
    assert "does not allow this with the token in GITHUB_TOKEN (HTTP 403: Resource not accessible by" in error.message
    assert "Pull requests" in error.hint


def test_setting_of_the_repository_is_named(github_server: GitHubServer) -> None:
    body = b'{"message": "GitHub Actions is not permitted to create or approve pull requests."}'
    github_server.script[f"POST /repos/{PATH}/pulls"] = [Reply(status=403, body=body)]

    with pytest.raises(Denied) as caught:
        github(github_server.url).open_pull_request(source=SOURCE, target=TARGET, title="Release", body="")

    assert "Settings → Actions → General" in caught.value.hint


def test_repository_that_the_token_does_not_show_is_named(github_server: GitHubServer) -> None:
    github_server.path = "team/other"

    with pytest.raises(NotFound, match=f"shows no {PATH} to the token in GITHUB_TOKEN"):
        github(github_server.url).find_release("v1.2.3")
    with pytest.raises(NotFound, match=f"shows no {PATH} to the token in GITHUB_TOKEN"):
        github(github_server.url).find_pull_request(source=SOURCE, target=TARGET)


def test_what_is_invalid_is_said(github_server: GitHubServer) -> None:
    body = json.dumps({"message": "Validation Failed", "errors": [{"code": "invalid", "field": "base"}]}).encode()
    github_server.script[f"POST /repos/{PATH}/pulls"] = [Reply(status=422, body=body)]

    with pytest.raises(Refused, match=r"Validation Failed; base invalid"):
        github(github_server.url).open_pull_request(source=SOURCE, target=TARGET, title="Release", body="")


def test_question_is_asked_again_when_the_server_fails(github_server: GitHubServer) -> None:
    clock = FakeClock()
    github_server.script[RELEASES] = [Reply(status=502), Reply(breaks=True), Reply(status=404, body=b"{}")]

    assert github(github_server.url, clock=clock).find_release("v1.2.3") is None
    assert len(github_server.asked(RELEASES)) == 3


def test_change_is_asked_for_once(github_server: GitHubServer) -> None:
    question = f"POST /repos/{PATH}/releases"
    github_server.script[question] = [Reply(status=502)]

    with pytest.raises(Unreachable, match="fails"):
        github(github_server.url).publish_release(PAGE, is_latest=True)
    assert len(github_server.asked(question)) == 1


def test_page_of_a_login_is_no_answer(github_server: GitHubServer) -> None:
    error = refused(github_server, Reply(status=200, body=b"<html>Sign in</html>"))

    assert "answers something else than JSON" in error.message


def test_renamed_repository_is_followed_on_its_own_server(github_server: GitHubServer) -> None:
    target = f"{github_server.url}/repositories/7/releases/tags/v1.2.3"
    release = {"name": "v1.2.3", "body": None, "prerelease": False, "draft": False}
    github_server.script[RELEASES] = [Reply(status=301, headers={"Location": target})]
    question = "GET /repositories/7/releases/tags/v1.2.3"
    github_server.script[question] = [Reply(status=200, body=json.dumps(release).encode())]

    page = github(github_server.url).find_release("v1.2.3")

    assert page is not None
    assert page.title == "v1.2.3"


def test_token_is_not_taken_to_another_server(github_server: GitHubServer) -> None:
    with ScriptedServer() as other:
        error = refused(github_server, Reply(status=302, headers={"Location": f"{other.url}/repos"}))

    assert other.requests == []
    assert "has moved to 127.0.0.1" in error.message


def test_draft_of_a_tag_is_published(github_server: GitHubServer) -> None:
    draft = {"id": 7, "tag_name": "v1.2.3", "name": "Draft", "body": "", "draft": True, "prerelease": False}
    github_server.releases.append(draft)
    forge = github(github_server.url)
    found = forge.find_release("v1.2.3")
    assert found is not None
    assert found.is_draft

    forge.publish_release(PAGE, is_latest=True)

    assert forge.find_release("v1.2.3") == PAGE
    assert len(github_server.releases) == 1


def test_release_that_somebody_else_has_just_published_gets_the_notes(github_server: GitHubServer) -> None:
    forge = github(github_server.url)
    forge.publish_release(PAGE, is_latest=True)
    existing = json.dumps(github_server.releases[0]).encode()
    github_server.script[RELEASES] = [Reply(status=404, body=b"{}"), Reply(status=200, body=existing)]

    forge.publish_release(PAGE, is_latest=True)

    assert len(github_server.asked(f"PATCH /repos/{PATH}/releases/1")) == 1


def test_pull_request_of_a_fork_is_another_one(github_server: GitHubServer) -> None:
    """GitHub ignores a filter that it does not understand, and returns every pull request."""
    question = f"GET /repos/{PATH}/pulls?state=open&head=team%3Arelease%2Fnext&base=main"
    other = {"number": 3, "head": {"ref": "other"}, "html_url": "", "title": "", "body": None}
    github_server.script[question] = [Reply(status=200, body=json.dumps([other]).encode())]

    assert github(github_server.url).find_pull_request(source=SOURCE, target=TARGET) is None


def test_long_notes_are_shortened(github_server: GitHubServer) -> None:
    forge = github(github_server.url)

    forge.open_pull_request(source=SOURCE, target=TARGET, title="Release", body="x" * 70_000)

    assert len(github_server.pulls[0]["body"]) == 60_000


def test_gitlab_merge_request_deletes_its_branch() -> None:
    with GitLabServer() as server:
        gitlab(server.url).open_pull_request(source=SOURCE, target=TARGET, title="Release", body="")

    assert server.pulls[0]["remove_source_branch"] is True


def sent_headers(variable: str) -> Request:
    """Return a request that GitLab gets with a token of a variable."""
    with GitLabServer() as server:
        gitlab(server.url, variable=variable).find_release("v1.2.3")
    return server.requests[0]


def test_gitlab_token_of_a_job_has_a_header_of_its_own() -> None:
    assert sent_headers("CI_JOB_TOKEN").headers["Job-Token"] == "t0ken"
    assert sent_headers("GITLAB_TOKEN").headers["Private-Token"] == "t0ken"


def test_gitlab_token_of_a_job_that_is_rejected_is_replaced_by_one_of_a_person() -> None:
    with GitLabServer(token="other") as server, pytest.raises(Denied, match="token in CI_JOB_TOKEN") as caught:
        gitlab(server.url, variable="CI_JOB_TOKEN").find_pull_request(source=SOURCE, target=TARGET)

    assert caught.value.hint.startswith("set GITLAB_TOKEN to a token of gitlab.com")


def test_value_that_is_no_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_TOKEN holds no token"):
        github(f"https://{HOST}", token="two words")
