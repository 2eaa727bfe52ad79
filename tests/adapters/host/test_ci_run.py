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


ACTIONS_URL = "https://github.example/acme/coach/actions/runs/17"
GITLAB = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada", "CI_JOB_URL": "https://gitlab.example/a/-/jobs/7"}
BUILDKITE = {"BUILDKITE": "true", "BUILDKITE_BUILD_URL": "https://bk.example/7"}
AZURE = {
    "TF_BUILD": "True",
    "BUILD_REQUESTEDFOR": "Ada L",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.example/acme/",
    "SYSTEM_TEAMPROJECT": "Our Coach",
    "BUILD_BUILDID": "7",
}
CODEBUILD = {"CODEBUILD_BUILD_ID": "coach:1f", "CODEBUILD_INITIATOR": "codepipeline/coach"}
JENKINS = {"JENKINS_URL": "https://j.example/", "BUILD_URL": "https://j.example/job/a/7/"}


@pytest.mark.parametrize(
    ("environ", "service", "actor", "url"),
    [
        (GITHUB, "GitHub Actions", "ada", ACTIONS_URL),
        ({**GITHUB, "GITHUB_TRIGGERING_ACTOR": "eve"}, "GitHub Actions", "eve", ACTIONS_URL),
        ({**GITHUB, "GITHUB_ACTOR": "renovate[bot]"}, "GitHub Actions", "renovate[bot]", ACTIONS_URL),
        ({**GITHUB, "GITHUB_RUN_ATTEMPT": "2"}, "GitHub Actions", "ada", f"{ACTIONS_URL}/attempts/2"),
        ({**GITHUB, "GITHUB_RUN_ATTEMPT": "1", "GITEA_ACTIONS": "true"}, "Gitea Actions", "ada", ACTIONS_URL),
        ({"GITHUB_ACTOR": "ada"}, "GitHub Actions", "ada", ""),
        (GITLAB, "GitLab CI", "ada", "https://gitlab.example/a/-/jobs/7"),
        ({**GITLAB, "GITLAB_USER_LOGIN": "project_7_bot_1f"}, "GitLab CI", "project_7_bot_1f", GITLAB["CI_JOB_URL"]),
        (
            {
                "BITBUCKET_BUILD_NUMBER": "7",
                "BITBUCKET_STEP_TRIGGERER_UUID": "{1f}",
                "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/acme/coach",
            },
            "Bitbucket Pipelines",
            "{1f}",
            "https://bitbucket.org/acme/coach/pipelines/results/7",
        ),
        ({"CIRCLECI": "true", "CIRCLE_USERNAME": "ada"}, "CircleCI", "ada", ""),
        ({"CIRCLECI": "true", "CIRCLE_BUILD_URL": "https://c.example/7"}, "CircleCI", "", "https://c.example/7"),
        ({**BUILDKITE, "BUILDKITE_BUILD_CREATOR": "Ada L"}, "Buildkite", "Ada L", "https://bk.example/7"),
        ({**BUILDKITE, "BUILDKITE_JOB_ID": "0190"}, "Buildkite", "", "https://bk.example/7#0190"),
        (
            {**BUILDKITE, "BUILDKITE_BUILD_CREATOR": " ", "BUILDKITE_BUILD_AUTHOR": "Ada"},
            "Buildkite",
            "Ada",
            "https://bk.example/7",
        ),
        (AZURE, "Azure Pipelines", "Ada L", "https://dev.azure.example/acme/Our%20Coach/_build/results?buildId=7"),
        (
            {
                **AZURE,
                "RELEASE_DEPLOYMENT_REQUESTEDFOR": "Eve",
                "RELEASE_RELEASEWEBURL": "https://dev.azure.example/acme/r/3",
            },
            "Azure Pipelines",
            "Eve",
            "https://dev.azure.example/acme/r/3",
        ),
        (JENKINS, "Jenkins", "", JENKINS["BUILD_URL"]),
        ({**JENKINS, "BUILD_USER_ID": "ada", "BUILD_USER": "Ada L"}, "Jenkins", "ada", JENKINS["BUILD_URL"]),
        (CODEBUILD, "CodeBuild", "codepipeline/coach", ""),
        (
            {**CODEBUILD, "AWS_REGION": "eu-west-1"},
            "CodeBuild",
            "codepipeline/coach",
            "https://eu-west-1.console.aws.amazon.com/codebuild/home?region=eu-west-1#/builds/coach:1f/view/new",
        ),
        ({"USER": "ada", "BUILD_URL": "https://not.ci.example"}, "", "", ""),
        ({}, "", "", ""),
    ],
)
def test_run_has_the_names_of_its_service(environ: dict[str, str], service: str, actor: str, url: str) -> None:
    assert find_ci_run(environ) == CiRun(service=service, actor=actor, url=url)


def test_values_are_text_for_a_ledger() -> None:
    """A branch name or a display name may have anything in it."""
    environ = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada\x1b[2J\n", "CI_JOB_URL": "https://x/\x1b ]8;;\na"}

    run = find_ci_run(environ)
    assert (run.actor, run.url) == ("ada?[2J?", "https://x/%1B%20]8;;%0Aa")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "https://x/" + "a" * 1000])
def test_other_addresses_are_left_out(url: str) -> None:
    assert find_ci_run({"GITLAB_CI": "true", "CI_JOB_URL": url}).url == ""


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
