"""The subjects of tokens that a role trusts."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from kaizen_tasks.domain.init.ci.trust import TrustedJobs, trust_github, trust_gitlab

BRANCHES, ENVIRONMENTS = ("main", "stable/*"), ("production",)


def trusts(jobs: TrustedJobs | None, subject: str) -> bool:
    """Return whether IAM's `StringLike` would admit a subject; its `*` matches any text."""
    assert jobs is not None
    return any(fnmatchcase(subject, pattern) for pattern in jobs.subjects(BRANCHES, ENVIRONMENTS))


@pytest.mark.parametrize(
    ("subject", "by_name", "by_id"),
    [
        ("repo:ada/web:ref:refs/heads/main", True, False),
        ("repo:ada/web:environment:production", True, False),
        ("repo:ada@12/web@34:ref:refs/heads/main", True, True),
        ("repo:ada@12/web@34:ref:refs/heads/stable/1.x", True, True),
        ("repo:ada@12/web@34:environment:production", True, True),
        ("repo:ada@99/web@98:ref:refs/heads/main", True, False),  # somebody who took over the name
        ("repo:ada/web:pull_request", False, False),
        ("repo:ada@12/web@34:ref:refs/heads/work", False, False),
        ("repo:ada@12/web@34:environment:staging", False, False),
        ("repo:ada@12/other@34:ref:refs/heads/main", False, False),
        ("repo:eve@12/web@34:ref:refs/heads/main", False, False),
        ("repo:eve/ada@12/web@34:ref:refs/heads/main", False, False),
    ],
)
def test_github_has_two_forms_of_a_subject(subject: str, *, by_name: bool, by_id: bool) -> None:
    assert trusts(trust_github("ada/web"), subject) == by_name
    assert trusts(trust_github("ada@12/web@34"), subject) == by_id


def test_the_form_that_is_not_told_is_pointed_out() -> None:
    by_name, by_id = trust_github("ada/web"), trust_github("ada@12/web@34")

    assert by_name is not None
    assert "gh api repos/ada/web" in by_name.note
    assert by_id is not None
    assert by_id.note == ""


@pytest.mark.parametrize(
    "text", ["web", "ada@12/web", "ada/web@34", "ada/web/x", "https://github.com/ada/web", "ada/w b"]
)
def test_what_is_no_repository_of_github_is_refused(text: str) -> None:
    assert trust_github(text) is None


@pytest.mark.parametrize(
    ("project", "host", "path"),
    [
        ("team/web", "gitlab.com", "team/web"),
        ("team/apps/web", "gitlab.com", "team/apps/web"),
        ("https://git.example.com/team/web", "git.example.com", "team/web"),
    ],
)
def test_gitlab_trusts_jobs_on_the_branches(project: str, host: str, path: str) -> None:
    jobs = trust_gitlab(project)

    assert jobs is not None
    assert jobs.host == host
    assert trusts(jobs, f"project_path:{path}:ref_type:branch:ref:main")
    assert not trusts(jobs, f"project_path:{path}:ref_type:branch:ref:work")
    assert not trusts(jobs, f"project_path:{path}:ref_type:tag:ref:main")


@pytest.mark.parametrize("text", ["web", "https://", "http://git.example.com/team/web", "team/w b", "/team/web"])
def test_what_is_no_project_of_gitlab_is_refused(text: str) -> None:
    assert trust_gitlab(text) is None
