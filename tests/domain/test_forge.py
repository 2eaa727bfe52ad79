"""Which server a repository is on, and where its API is."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.forge import ReleasePage, find_project, shorten

ACTIONS = {
    "GITHUB_SERVER_URL": "https://code.acme.example",
    "GITHUB_API_URL": "https://code.acme.example/api/v3",
    "GITHUB_REPOSITORY": "team/app",
}
PIPELINE = {
    "CI_SERVER_URL": "https://code.acme.example/git",
    "CI_API_V4_URL": "https://code.acme.example/git/api/v4",
    "CI_PROJECT_PATH": "team/sub/app",
}


@pytest.mark.parametrize(
    ("url", "kind", "environ", "expected"),
    [
        ("https://github.com/team/app", "", {}, ("github", "https://api.github.com", "team/app")),
        ("https://ssh.github.com/team/app", "", {}, ("github", "https://api.github.com", "team/app")),
        ("https://acme.ghe.com/team/app", "", {}, ("github", "https://api.acme.ghe.com", "team/app")),
        ("https://github.acme.example/t/a", "", {}, ("github", "https://github.acme.example/api/v3", "t/a")),
        ("https://code.acme.example/t/a", "github", {}, ("github", "https://code.acme.example/api/v3", "t/a")),
        ("https://code.acme.example/team/app", "", ACTIONS, ("github", ACTIONS["GITHUB_API_URL"], "team/app")),
        ("https://github.com/team/app", "", ACTIONS, ("github", "https://api.github.com", "team/app")),
        ("https://gitlab.com/team/sub/app", "", {}, ("gitlab", "https://gitlab.com/api/v4", "team/sub/app")),
        ("https://altssh.gitlab.com/team/app", "", {}, ("gitlab", "https://gitlab.com/api/v4", "team/app")),
        ("http://gitlab.lan:8080/team/app", "", {}, ("gitlab", "http://gitlab.lan:8080/api/v4", "team/app")),
        ("https://code.acme.example/git/team/app", "", PIPELINE, ("gitlab", PIPELINE["CI_API_V4_URL"], "team/app")),
        ("https://github.com/team/app", "", PIPELINE, ("github", "https://api.github.com", "team/app")),
        ("https://a.lan/t/a", "", {"GITHUB_API_URL": "https://a.lan/x/"}, ("github", "https://a.lan/x", "t/a")),
        ("", "", ACTIONS, ("github", ACTIONS["GITHUB_API_URL"], "team/app")),
        ("", "", PIPELINE, ("gitlab", PIPELINE["CI_API_V4_URL"], "team/sub/app")),
    ],
)  # fmt: skip
def test_the_api_of_a_repository_is_that_of_its_server(
    url: str, kind: str, environ: dict[str, str], expected: tuple[str, str, str]
) -> None:
    project = find_project(url, kind=kind, environ=environ)

    assert project is not None
    assert (project.kind, project.api_url, project.path) == expected


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("https://bitbucket.org/team/app", {}),
        ("https://codeberg.org/team/app", {}),
        ("https://code.acme.example/team/app", {**ACTIONS, "GITEA_ACTIONS": "true"}),
        ("", {}),
    ],
)
def test_other_servers_are_unknown(url: str, environ: dict[str, str]) -> None:
    assert find_project(url, kind="", environ=environ) is None


def test_pages_are_compared_by_what_they_show() -> None:
    page = ReleasePage(tag="v1.2.3", title="v1.2.3", notes="- A\n- B\n", is_prerelease=False)

    assert page.shows(evolve(page, notes="- A\r\n- B"))
    assert not page.shows(evolve(page, notes="- A"))
    assert not page.shows(evolve(page, is_draft=True))


def test_a_text_that_is_too_long_says_where_the_rest_is() -> None:
    assert shorten("short", limit=100) == "short"
    assert len(shorten("x" * 1000, limit=100)) == 100
    assert shorten("x" * 1000, limit=100).endswith("(the rest is in the changelog)\n")
