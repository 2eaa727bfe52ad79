"""Who runs a command in CI, and where to read about it."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.host.ci_run import CiRun, find_checkout, find_ci_run

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/coach",
    "GITHUB_RUN_ID": "17",
}


@pytest.mark.parametrize(
    ("environ", "run"),
    [
        (GITHUB, CiRun(actor="ada", url="https://github.example/acme/coach/actions/runs/17")),
        (
            {**GITHUB, "GITHUB_TRIGGERING_ACTOR": "eve"},
            CiRun(actor="eve", url="https://github.example/acme/coach/actions/runs/17"),
        ),
        (
            {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada", "CI_JOB_URL": "https://gitlab.example/a/-/jobs/7"},
            CiRun(actor="ada", url="https://gitlab.example/a/-/jobs/7"),
        ),
        (
            {
                "BITBUCKET_BUILD_NUMBER": "7",
                "BITBUCKET_STEP_TRIGGERER_UUID": "{1f}",
                "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/acme/coach",
            },
            CiRun(actor="{1f}", url="https://bitbucket.org/acme/coach/pipelines/results/7"),
        ),
        (
            {"CIRCLECI": "true", "CIRCLE_USERNAME": "ada", "CIRCLE_BUILD_URL": "https://circleci.example/7"},
            CiRun(actor="ada", url="https://circleci.example/7"),
        ),
        (
            {"BUILDKITE": "true", "BUILDKITE_BUILD_CREATOR": "Ada L", "BUILDKITE_BUILD_URL": "https://bk.example/7"},
            CiRun(actor="Ada L", url="https://bk.example/7"),
        ),
        (
            {
                "TF_BUILD": "True",
                "BUILD_REQUESTEDFOR": "Ada L",
                "SYSTEM_COLLECTIONURI": "https://dev.azure.example/acme/",
                "SYSTEM_TEAMPROJECT": "Our Coach",
                "BUILD_BUILDID": "7",
            },
            CiRun(actor="Ada L", url="https://dev.azure.example/acme/Our%20Coach/_build/results?buildId=7"),
        ),
        (
            {"JENKINS_URL": "https://j.example/", "BUILD_USER_ID": "ada", "BUILD_URL": "https://j.example/job/a/7/"},
            CiRun(actor="ada", url="https://j.example/job/a/7/"),
        ),
        (
            {"CODEBUILD_BUILD_ID": "coach:1f", "CODEBUILD_INITIATOR": "codepipeline/coach"},
            CiRun(actor="codepipeline/coach"),
        ),
        ({"JENKINS_URL": "https://j.example/", "BUILD_URL": "https://j.example/7/"}, CiRun(url="https://j.example/7/")),
        ({"GITHUB_ACTOR": "ada"}, CiRun(actor="ada")),
        ({"USER": "ada", "BUILD_URL": "https://not.ci.example"}, CiRun()),
        ({}, CiRun()),
    ],
)
def test_run_has_the_names_of_its_service(environ: dict[str, str], run: CiRun) -> None:
    assert find_ci_run(environ) == run


def test_values_are_text_for_a_ledger() -> None:
    """A branch name or a display name may have anything in it."""
    environ = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada\x1b[2J\n", "CI_JOB_URL": "https://x/\x1b ]8;;\na"}

    assert find_ci_run(environ) == CiRun(actor="ada?[2J?", url="https://x/%1B%20]8;;%0Aa")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "https://x/" + "a" * 1000])
def test_other_addresses_are_left_out(url: str) -> None:
    assert find_ci_run({"GITLAB_CI": "true", "CI_JOB_URL": url}) == CiRun()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/stable/1.x", "GITHUB_SHA": "c"}, ("stable/1.x", "c")),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": "c"}, ("", "")),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/v1", "GITHUB_SHA": "c"}, ("", "")),
        ({"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "c"}, ("", "")),
        ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": "c"}, ("main", "c")),
        ({"GITLAB_CI": "true", "CI_COMMIT_TAG": "v1", "CI_COMMIT_SHA": "c"}, ("", "")),
        ({"BUILDKITE": "true", "BUILDKITE_BRANCH": "v1", "BUILDKITE_TAG": "v1", "BUILDKITE_COMMIT": "c"}, ("", "")),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_SOURCEVERSION": "c"}, ("main", "c")),
        ({"JENKINS_URL": "u", "BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "GIT_COMMIT": "c"}, ("", "")),
    ],
)
def test_finds_the_branch_that_is_checked_out(environ: dict[str, str], expected: tuple[str, str]) -> None:
    assert find_checkout(environ) == expected
