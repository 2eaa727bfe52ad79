"""On which pages a run is shown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve

from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NotFound
from kaizen_tasks.wiring import Toolbox
from kaizen_tasks.wiring.ci_report import CiRunReport
from kaizen_tasks.wiring.run_report import NoRunReport, select_run_report
from tests.contracts.ledger import entry
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings
from tests.support.deployment_server import GitHubDeploymentServer
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada", "GITHUB_TOKEN": "t0ken"}
STARTED = evolve(
    entry(), event=Event.STARTED, environment="staging", version="v1.2.3", commit="4f2a9c81" * 5, reason=""
)


@define
class _Clone:
    """A clone of the app's repository.

    Attributes:
        url: the repository's web page.
        folder: the app's folder in it, with a slash at the end.
        is_missing: whether there is none.
    """

    url: str = "https://github.com/team/app"
    folder: str = ""
    is_missing: bool = False

    def web_url(self) -> str:
        if self.is_missing:
            raise NotFound("no repository")
        return self.url

    def path_in_repository(self, path: str) -> str:
        return f"{self.folder}{path}"


def report(
    environ: Mapping[str, str], *, clone: _Clone | None = None, dry: bool = False, **release: Any
) -> CiRunReport | None:
    """Return the pages of a run; None when there are none, for which the toolbox must not be asked."""
    toolbox = Toolbox(settings(release=release), dry=dry, draft=False, stream=io.StringIO())
    members: dict[str, object] = {"prober": HttpProber(), "clock": FakeClock(), "actor": "ada"}
    vars(toolbox).update(members, scm=clone or _Clone())
    selected = select_run_report(toolbox, environ)
    if isinstance(selected, NoRunReport):
        assert selected.finish("x", text="done") == ()
        return None
    assert isinstance(selected, CiRunReport)
    return selected


@pytest.mark.parametrize(
    "environ",
    [{}, {"GITHUB_TOKEN": "t0ken"}, {"GITHUB_ACTIONS": "true"}, {**GITHUB, "GITHUB_TOKEN": ""}, {"CI_JOB_TOKEN": "x"}],
    ids=["laptop", "token on a laptop", "no token", "empty token", "no service"],
)
def test_run_outside_of_ci_or_without_a_token_is_shown_nowhere(environ: Mapping[str, str]) -> None:
    assert report(environ) is None


def test_dry_run_is_shown_nowhere() -> None:
    assert report({**GITHUB, "GITHUB_STEP_SUMMARY": "summary.md"}, dry=True) is None


@pytest.mark.parametrize(
    ("environ", "server"),
    [
        (GITHUB, "GitHub"),
        ({"BUILDKITE": "true", "GH_TOKEN": "t0ken"}, "GitHub"),
        ({**GITHUB, "GITHUB_SERVER_URL": "https://github.com"}, "GitHub"),
        ({"GITLAB_CI": "true", "CI_JOB_TOKEN": "t0ken"}, ""),
        ({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}, ""),
        ({**GITHUB, "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com"}, ""),
    ],
    ids=["github", "buildkite", "server of the run", "token of another server", "page alone", "gitea"],
)
def test_deployments_are_shown_where_there_is_a_token_for_the_server(environ: Mapping[str, str], server: str) -> None:
    selected = report(environ)

    assert selected is not None
    assert (selected.queue.server if selected.queue else "") == server


def test_enterprise_server_is_asked_at_its_own_address() -> None:
    server = {"GITHUB_SERVER_URL": "https://git.acme.example", "GITHUB_API_URL": "https://git.acme.example/api/v3"}

    selected = report({**GITHUB, **server}, clone=_Clone(url="https://git.acme.example/team/app"))

    assert selected is not None
    assert selected.project is not None
    assert (selected.project.api_url, selected.queue is not None) == (server["GITHUB_API_URL"], True)


def test_deployments_can_be_switched_off() -> None:
    selected = report(GITHUB, deployment_status=False)

    assert selected is not None
    assert selected.queue is None


@pytest.mark.parametrize(
    ("folder", "tag", "component"),
    [("", "v{version}", ""), ("", "web-v{version}", ""), ("services/web/", "web-v{version}", "web")],
)
def test_app_in_a_folder_names_its_environments(folder: str, tag: str, component: str) -> None:
    selected = report(GITHUB, clone=_Clone(folder=folder), tag=tag)

    assert selected is not None
    assert selected.component == component


def test_promotion_without_a_clone_is_shown_in_the_repository_of_the_run() -> None:
    environ = {**GITHUB, "GITHUB_API_URL": "https://api.github.com", "GITHUB_REPOSITORY": "team/app"}

    selected = report(environ, clone=_Clone(is_missing=True))

    assert selected is not None
    assert selected.project is not None
    assert (selected.project.path, selected.queue is not None) == ("team/app", True)


@pytest.mark.integration
def test_both_pages_show_a_run(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    with GitHubDeploymentServer() as server:
        selected = report({**GITHUB, "GITHUB_API_URL": server.url, "GITHUB_STEP_SUMMARY": str(page)})
        assert selected is not None
        assert selected.queue is not None
        selected.queue.finish_seconds = HANG_SECONDS
        for event in (Event.STARTED, Event.DEPLOYED, Event.VERIFIED, Event.VERIFIED):
            selected.record(evolve(STARTED, event=event))
        problems = selected.finish("release v1.2.3 to staging", text="staging serves v1.2.3")

    assert problems == ()
    assert [(name, states[-1]) for name, states in server.shown] == [("staging", "success")]
    text = page.read_text(encoding="utf-8")
    assert "### ✅ web: release v1.2.3 to staging" in text
    assert text.count("verified |") == 1
    assert f"(<https://github.com/team/app/commit/{STARTED.commit}>)" in text


@pytest.mark.integration
def test_what_is_not_shown_is_said(tmp_path: Path) -> None:
    with GitHubDeploymentServer(token="other") as server:
        environ = {**GITHUB, "GITHUB_API_URL": server.url, "GITHUB_STEP_SUMMARY": str(tmp_path)}
        selected = report(environ)
        assert selected is not None
        assert selected.queue is not None
        selected.queue.finish_seconds = HANG_SECONDS
        selected.record(STARTED)
        problems = selected.finish("release", text="done")

    assert ["rejects the token" in problems[0], "Is a directory" in problems[1]] == [True, True]
