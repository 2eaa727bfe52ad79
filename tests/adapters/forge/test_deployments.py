"""Deployments on GitHub and GitLab, spoken to as their API descriptions say."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.forge.deployment_queue import MAX_THREADS, DeploymentQueue, Deployments
from kaizen_tasks.adapters.forge.select_deployments import open_deployments
from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.domain.deployment_status import DeploymentState, DeploymentStatus
from kaizen_tasks.domain.forge import find_project
from tests.fakes.clock import FakeClock
from tests.support.deployment_server import FIRST_NUMBER, GitHubDeploymentServer, GitLabDeploymentServer
from tests.support.forge_server import PATH
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.integration

RUN_URL = "https://github.com/team/app/actions/runs/17"
STARTED = DeploymentStatus(
    environment="staging",
    url="https://staging.example",
    is_protected=False,
    release="v1.2.3",
    commit="4f2a9c81" * 5,
    digest=f"sha256:{'ab' * 32}",
    state=DeploymentState.IN_PROGRESS,
    description="v1.2.3 is being deployed",
)
VERIFIED = evolve(STARTED, state=DeploymentState.SUCCESS, description="v1.2.3 is verified")
FAILED = evolve(STARTED, state=DeploymentState.FAILURE, description="v1.2.3 has failed")
ABANDONED = evolve(STARTED, state=DeploymentState.INACTIVE, description="v1.2.3 is abandoned")


def newer(status: DeploymentStatus) -> DeploymentStatus:
    """Return the state of the next release."""
    return evolve(status, release="v1.2.4", commit="5e6f7a8b" * 5, digest=f"sha256:{'cd' * 32}")


def protected(status: DeploymentStatus) -> DeploymentStatus:
    """Return the state in a protected environment."""
    return evolve(status, environment="prod", is_protected=True)


def deployments(environ: Mapping[str, str], *, kind: str = "github") -> Deployments:
    """Return the deployments as a run sees them."""
    project = find_project(f"https://{kind}.com/{PATH}", kind="", environ=environ)
    assert project is not None
    return open_deployments(
        project, run_url=RUN_URL, actor="ada", environ=environ, prober=HttpProber(), clock=FakeClock()
    )


def show(environ: Mapping[str, str], *statuses: DeploymentStatus, kind: str = "github") -> None:
    """Show states in a run of its own."""
    adapter = deployments(environ, kind=kind)
    for status in statuses:
        adapter.show(status)


def on_github(server: ScriptedServer) -> Mapping[str, str]:
    return {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": "t0ken"}


def on_gitlab(server: ScriptedServer, variable: str = "CI_JOB_TOKEN") -> Mapping[str, str]:
    return {"CI_API_V4_URL": server.url, "CI_COMMIT_REF_NAME": "main", variable: "t0ken"}


@pytest.fixture
def github() -> Iterator[GitHubDeploymentServer]:
    with GitHubDeploymentServer() as server:
        yield server


@pytest.fixture
def gitlab() -> Iterator[GitLabDeploymentServer]:
    with GitLabDeploymentServer() as server:
        yield server


class TestGitHub:
    def test_release_is_one_deployment_with_links(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED, VERIFIED)

        assert github.shown == [("staging", ["in_progress", "success"])]
        deployment, status = github.deployments[0], github.deployments[0]["statuses"][-1]
        assert (deployment["ref"], deployment["production_environment"]) == (STARTED.commit, False)
        assert deployment["payload"]["digest"] == STARTED.digest
        assert (status["environment_url"], status["log_url"]) == (STARTED.url, RUN_URL)
        assert status["description"] == "v1.2.3 is verified"

    def test_run_that_finishes_a_killed_one_goes_on_with_its_deployment(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED)
        show(on_github(github), STARTED, VERIFIED)

        assert github.shown == [("staging", ["in_progress", "in_progress", "success"])]

    def test_deployment_whose_answer_was_lost_is_found(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED)
        github.deployments[0]["statuses"].clear()
        github.deployments[0]["payload"] = json.dumps(github.deployments[0]["payload"])

        show(on_github(github), VERIFIED)

        assert github.shown == [("staging", ["success"])]

    def test_retry_of_a_failed_release_is_another_deployment(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED, FAILED)
        show(on_github(github), STARTED, VERIFIED)

        assert github.shown == [("staging", ["in_progress", "failure"]), ("staging", ["in_progress", "success"])]

    def test_release_replaces_the_one_before(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED, VERIFIED)
        show(on_github(github), newer(STARTED), newer(VERIFIED))

        assert github.shown == [
            ("staging", ["in_progress", "success", "inactive"]),
            ("staging", ["in_progress", "success"]),
        ]

    def test_production_is_replaced_too_although_github_keeps_it(self, github: GitHubDeploymentServer) -> None:
        """A failed one in between is not what serves."""
        show(on_github(github), protected(STARTED), protected(VERIFIED))
        show(on_github(github), protected(newer(STARTED)), protected(newer(FAILED)))
        show(on_github(github), protected(newer(STARTED)), protected(newer(VERIFIED)))

        assert [states[-1] for _, states in github.shown] == ["inactive", "failure", "success"]
        assert github.deployments[0]["production_environment"] is True

    def test_rollback_in_the_same_run_is_a_deployment_of_its_own(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED, VERIFIED)
        show(on_github(github), newer(STARTED), newer(FAILED), STARTED, VERIFIED)

        assert [states[-1] for _, states in github.shown] == ["inactive", "failure", "success"]

    def test_release_that_was_verified_before_is_not_verified_twice(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), STARTED, VERIFIED)
        show(on_github(github), VERIFIED)

        assert github.shown == [("staging", ["in_progress", "success"])]

    def test_verification_outside_of_ci_is_shown_with_the_next_one(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), VERIFIED)

        assert github.shown == [("staging", ["success"])]

    def test_what_was_never_shown_is_not_abandoned(self, github: GitHubDeploymentServer) -> None:
        show(on_github(github), ABANDONED)

        assert github.shown == []

    def test_deployments_of_others_are_left_alone(self, github: GitHubDeploymentServer) -> None:
        """A job with `environment` has one, which GitHub ends itself."""
        others = {"auto_merge": False, "required_contexts": [], "environment": "prod", "production_environment": True}
        github._create({"ref": STARTED.commit, **others})
        github.deployments[0]["statuses"].append({"state": "success"})

        show(on_github(github), protected(STARTED), protected(VERIFIED))

        assert github.shown == [("prod", ["success"]), ("prod", ["in_progress", "success"])]


class TestGitLab:
    @pytest.mark.parametrize("variable", ["CI_JOB_TOKEN", "GITLAB_TOKEN"])
    def test_release_is_one_deployment_with_a_link(self, gitlab: GitLabDeploymentServer, variable: str) -> None:
        show(on_gitlab(gitlab, variable), STARTED, VERIFIED, kind="gitlab")

        assert gitlab.shown == [("staging", "success")]
        assert {name: gitlab.deployments[0][name] for name in ("sha", "ref", "tag")} == {
            "sha": STARTED.commit,
            "ref": "main",
            "tag": False,
        }
        assert gitlab.environments["staging"]["external_url"] == "https://staging.example"

    def test_run_that_finishes_a_killed_one_goes_on_with_its_deployment(self, gitlab: GitLabDeploymentServer) -> None:
        show(on_gitlab(gitlab), STARTED, kind="gitlab")
        show(on_gitlab(gitlab), STARTED, VERIFIED, kind="gitlab")

        assert gitlab.shown == [("staging", "success")]

    def test_retry_and_abandoned_release_have_deployments_of_their_own(self, gitlab: GitLabDeploymentServer) -> None:
        show(on_gitlab(gitlab), STARTED, FAILED, kind="gitlab")
        show(on_gitlab(gitlab), STARTED, ABANDONED, newer(STARTED), newer(VERIFIED), kind="gitlab")

        assert gitlab.shown == [("staging", "failed"), ("staging", "canceled"), ("staging", "success")]

    def test_deployment_of_a_job_is_left_alone(self, gitlab: GitLabDeploymentServer) -> None:
        show(on_gitlab(gitlab), STARTED, kind="gitlab")
        gitlab.deployments[0]["deployable"] = {"id": 1}

        show(on_gitlab(gitlab), VERIFIED, kind="gitlab")

        assert gitlab.shown == [("staging", "running"), ("staging", "success")]

    @pytest.mark.parametrize(
        ("job", "name"), [("prod", "prod"), ("production", "prod"), ("web/production", "web/prod")]
    )
    def test_environment_that_the_job_names_is_shown_by_gitlab(
        self, gitlab: GitLabDeploymentServer, job: str, name: str
    ) -> None:
        environ = {**on_gitlab(gitlab), "CI_ENVIRONMENT_NAME": job}

        show(environ, evolve(STARTED, environment=name), VERIFIED, kind="gitlab")

        assert gitlab.shown == [("staging", "success")]


def queue_of(environ: Mapping[str, str]) -> DeploymentQueue:
    """Return a queue that waits for as long as it takes."""
    return DeploymentQueue("GitHub", lambda: deployments(environ), finish_seconds=HANG_SECONDS)


def refusal(reply: Reply) -> tuple[str, int]:
    """Return what is said about a server that answers everything with a reply, and how often it was asked."""
    with ScriptedServer() as server:
        server.question = lambda _: "anything"
        server.script["anything"] = [reply]
        queue = queue_of(on_github(server))
        queue.add(STARTED)
        return queue.finish(), len(server.requests)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Reply(status=403, body=b'{"message": "Resource not accessible by integration"}'),
            ("does not allow this", "in a workflow, deployments: write", "or set release.deployment_status = false"),
        ),
        (Reply(status=401, body=b'{"message": "Bad credentials"}'), ("rejects the token", "that has not expired")),
        (Reply(status=404), ("shows no team/app", "or set release.deployment_status = false")),
        (
            Reply(status=403, headers={"Retry-After": "60"}),
            ("takes no more requests for a while", "inv history has them"),
        ),
        (Reply(status=429), ("takes no more requests for a while", "inv history has them")),
    ],
    ids=["permission", "token", "none", "limit", "requests"],
)
def test_server_that_refuses_lastingly_is_asked_once(reply: Reply, words: tuple[str, ...]) -> None:
    problem, count = refusal(reply)

    assert problem.startswith("GitHub does not show the deployments to staging: ")
    assert "\n" not in problem
    assert [word for word in words if word not in problem] == []
    assert count == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=422, body=b'{"message": "Validation Failed"}'), "does not accept this"),
        (Reply(status=200, body=b"<html>"), "answers something else than JSON"),
        (Reply(status=200, body=b'[{"no": "deployment"}]'), "not documented: KeyError"),
        (Reply(breaks=True), "resets the connection"),
        (Reply(status=502), "fails (HTTP 502"),
    ],
)
def test_other_failures_are_said_with_where_to_look(reply: Reply, words: str) -> None:
    problem, _ = refusal(reply)

    assert words in problem
    assert problem.endswith("; inv history has them")


def test_variable_without_a_token_is_named(github: GitHubDeploymentServer) -> None:
    """It must not end a release."""
    queue = queue_of({**on_github(github), "GITHUB_TOKEN": "a b"})
    queue.add(STARTED)

    assert "GITHUB_TOKEN holds no token; set GITHUB_TOKEN to the token alone" in queue.finish()


def test_state_that_was_lost_is_sent_again_at_the_end(github: GitHubDeploymentServer) -> None:
    """The deployment exists by then."""
    first = f"POST /repos/{PATH}/deployments/{FIRST_NUMBER}/statuses"
    github.script[first] = [Reply(status=502)]
    queue = queue_of(on_github(github))
    queue.add(VERIFIED)
    wait_for(lambda: bool(queue._failed) and not queue._thread_count)
    assert github.shown == [("staging", [])]
    github.script.clear()

    assert queue.finish() == ""
    assert github.shown == [("staging", ["success"])]


def test_queue_goes_on_after_the_end_of_a_command(github: GitHubDeploymentServer) -> None:
    """Some commands make several changes."""
    queue = queue_of(on_github(github))
    problems = []
    for status in (STARTED, VERIFIED):
        queue.add(status)
        problems.append(queue.finish())

    assert (problems, github.shown) == (["", ""], [("staging", ["in_progress", "success"])])


def test_commit_that_is_pushed_at_the_end_is_shown_at_the_end(github: GitHubDeploymentServer) -> None:
    github.commits = set()
    queue = queue_of(on_github(github))
    queue.add(STARTED)
    queue.add(VERIFIED)
    wait_for(lambda: len(queue._failed) == 1 and not queue._thread_count)

    github.commits = None

    assert queue.finish() == ""
    assert github.shown == [("staging", ["success"])]


def test_server_that_hangs_is_waited_for_at_the_end_alone() -> None:
    class Hanging:
        def show(self, status: DeploymentStatus) -> None:
            released.wait(HANG_SECONDS)

    released = threading.Event()
    queue = DeploymentQueue("GitHub", Hanging, finish_seconds=0.01)
    queue.add(STARTED)
    queue.add(newer(STARTED))
    try:
        problem = queue.finish()
    finally:
        released.set()

    assert problem == (
        "GitHub does not show the deployments to staging: it has not answered within 0.01s; inv history has them"
    )


class Slow:
    """Deployments that take until they are released.

    Attributes:
        released: lets every state through.
        asked: what has begun to be shown.
        shown: what was shown.
    """

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[DeploymentStatus] = []
        self.shown: list[DeploymentStatus] = []

    def show(self, status: DeploymentStatus) -> None:
        self.asked.append(status)
        self.released.wait(HANG_SECONDS)
        self.shown.append(status)


def test_state_that_waits_is_replaced_by_the_next_one_of_its_deployment() -> None:
    """Without dropping how another one has ended."""
    slow = Slow()
    queue = DeploymentQueue("GitHub", lambda: slow, finish_seconds=HANG_SECONDS)
    queue.add(FAILED)
    wait_for(lambda: bool(slow.asked))
    for status in (newer(STARTED), newer(FAILED), STARTED, VERIFIED):
        queue.add(status)
    slow.released.set()

    assert queue.finish() == ""
    assert slow.shown == [FAILED, newer(FAILED), VERIFIED]


def test_several_environments_are_shown_at_a_time_and_each_in_order() -> None:
    slow = Slow()
    queue = DeploymentQueue("GitHub", lambda: slow, finish_seconds=HANG_SECONDS)
    names = [f"tenant-{number}" for number in range(MAX_THREADS + 2)]
    for name in names:
        queue.add(evolve(FAILED, environment=name))
        queue.add(evolve(VERIFIED, environment=name))
    wait_for(lambda: len(slow.asked) == MAX_THREADS)
    assert len({status.environment for status in slow.asked}) == MAX_THREADS
    slow.released.set()

    assert queue.finish() == ""
    for name in names:
        assert [status.state for status in slow.shown if status.environment == name] == [FAILED.state, VERIFIED.state]
