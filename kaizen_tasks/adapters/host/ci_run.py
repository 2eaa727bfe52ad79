"""The run of a CI service that this process belongs to, by the variables that the service sets.

Every run looks for one, so these are named tuples, which are made faster than attrs classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from kaizen_tasks.domain.text.printable import printable

MAX_LENGTH = 500  # of what the ledger gets


class CiRun(NamedTuple):
    """A run, as far as its service tells.

    Attributes:
        service: the service's name; empty outside of CI.
        actor: who started the run; empty when unknown.
        url: the address of the run; empty when unknown.
    """

    service: str = ""
    actor: str = ""
    url: str = ""


class CiService(NamedTuple):
    """A CI service.

    Attributes:
        name: what people call it.
        marker: a variable that it sets in every run.
        actors: variables that name who started a run, best first.
        urls: the address of a run, best first; braces contain variables.
        branch: the variable that names the branch of a run, or its ref; empty when there is none.
        commit: the variable with the full hash of the branch's commit.
        other_ref: the variable that is set when the run is not one of a branch.
    """

    name: str
    marker: str
    actors: tuple[str, ...]
    urls: tuple[str, ...]
    branch: str = ""
    commit: str = ""
    other_ref: str = ""


_GITHUB_ACTORS = ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR")
_GITHUB_URL = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"
_CODEBUILD_CONSOLE = "https://{AWS_REGION}.console.aws.amazon.com/codebuild/home?region={AWS_REGION}"

IMITATIONS = tuple(
    CiService(
        name=f"{name} Actions",
        marker=f"{name.upper()}_ACTIONS",
        actors=_GITHUB_ACTORS,
        urls=(_GITHUB_URL,),
        branch="GITHUB_REF",
        commit="GITHUB_SHA",
    )
    for name in ("Gitea", "Forgejo")
)
"""Services that set the variables of GitHub and their marker beside: https://docs.gitea.com/usage/actions/comparison."""

SERVICES = (
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    CiService(
        name="GitHub Actions",
        marker="GITHUB_ACTIONS",
        actors=_GITHUB_ACTORS,
        urls=(f"{_GITHUB_URL}/attempts/{{GITHUB_RUN_ATTEMPT}}", _GITHUB_URL),
        branch="GITHUB_REF",
        commit="GITHUB_SHA",
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    CiService(
        name="GitLab CI",
        marker="GITLAB_CI",
        actors=("GITLAB_USER_LOGIN", "GITLAB_USER_EMAIL", "GITLAB_USER_NAME"),
        urls=("{CI_JOB_URL}", "{CI_PIPELINE_URL}"),
        branch="CI_COMMIT_BRANCH",
        commit="CI_COMMIT_SHA",
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    CiService(
        name="Bitbucket Pipelines",
        marker="BITBUCKET_BUILD_NUMBER",
        actors=("BITBUCKET_STEP_TRIGGERER_UUID",),
        urls=("{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",),
        branch="BITBUCKET_BRANCH",
        commit="BITBUCKET_COMMIT",
        other_ref="BITBUCKET_PR_ID",
    ),
    # https://circleci.com/docs/reference/variables/
    CiService(
        name="CircleCI",
        marker="CIRCLECI",
        actors=("CIRCLE_USERNAME",),
        urls=("{CIRCLE_BUILD_URL}",),
        branch="CIRCLE_BRANCH",
        commit="CIRCLE_SHA1",
        other_ref="CIRCLE_TAG",
    ),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    CiService(
        name="Buildkite",
        marker="BUILDKITE",
        actors=("BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_CREATOR_EMAIL", "BUILDKITE_BUILD_AUTHOR"),
        urls=("{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}", "{BUILDKITE_BUILD_URL}"),
        branch="BUILDKITE_BRANCH",
        commit="BUILDKITE_COMMIT",
        other_ref="BUILDKITE_TAG",
    ),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables and …/release/variables
    CiService(
        name="Azure Pipelines",
        marker="TF_BUILD",
        actors=("RELEASE_DEPLOYMENT_REQUESTEDFOR", "BUILD_REQUESTEDFOR"),
        urls=(
            "{RELEASE_RELEASEWEBURL}",
            "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
        ),
        branch="BUILD_SOURCEBRANCH",
        commit="BUILD_SOURCEVERSION",
    ),
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    CiService(
        name="CodeBuild",
        marker="CODEBUILD_BUILD_ID",
        actors=("CODEBUILD_INITIATOR",),
        urls=(
            "{CODEBUILD_PUBLIC_BUILD_URL}",
            f"{_CODEBUILD_CONSOLE}#/builds/{{CODEBUILD_BUILD_ID}}/view/new",
        ),
        branch="CODEBUILD_WEBHOOK_HEAD_REF",
        commit="CODEBUILD_RESOLVED_SOURCE_VERSION",
    ),
    # https://plugins.jenkins.io/build-user-vars-plugin/
    CiService(
        name="Jenkins",
        marker="JENKINS_URL",
        actors=("BUILD_USER_ID", "BUILD_USER"),
        urls=("{BUILD_URL}",),
        branch="BRANCH_NAME",
        commit="GIT_COMMIT",
        other_ref="CHANGE_ID",
    ),
)


def is_in_ci(environ: Mapping[str, str]) -> bool:
    """Return whether this process belongs to a CI service, also to one that sets nothing but `CI`."""
    is_marked = environ.get("CI", "").lower() not in {"", "0", "false"}
    return is_marked or any(environ.get(service.marker) for service in SERVICES)


def find_ci_run(environ: Mapping[str, str]) -> CiRun:
    """Return the run that environment variables describe; an empty one outside of CI."""
    imitations = (service for service in IMITATIONS if environ.get(service.marker))
    for service in (*imitations, *SERVICES):
        if any(environ.get(name) for name in (service.marker, *service.actors)):
            actors = (printable(environ.get(name, "")).strip()[:MAX_LENGTH] for name in service.actors)
            urls = (_fill_url(url, environ) for url in service.urls)
            return CiRun(service=service.name, actor=next(filter(None, actors), ""), url=next(filter(None, urls), ""))
    return CiRun()


def find_checkout(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the branch of a CI service's run, and its commit; two empty strings for a run of a tag or a merge."""
    for service in SERVICES:
        ref = environ.get(service.branch, "") if environ.get(service.marker) else ""
        if ref and not environ.get(service.other_ref):
            branch = ref.removeprefix("refs/heads/")
            return ("", "") if branch.startswith("refs/") else (branch, environ.get(service.commit, ""))
    return "", ""


def _fill_url(template: str, environ: Mapping[str, str]) -> str:
    """Return an address; empty when a variable is missing or the result is no address."""
    names = [piece.partition("}")[0] for piece in template.split("{")[1:]]
    if not all(environ.get(name) for name in names):
        return ""
    url = quote(template.format_map(environ), safe="!#$%&'()*+,/:;=?@[]~")
    return url if url.startswith(("https://", "http://")) and len(url) <= MAX_LENGTH else ""
