"""The run of a CI service that this process belongs to, by the variables that the service sets."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from attrs import frozen

from kaizen_tasks.domain.printable import printable

MAX_LENGTH = 500  # of what the ledger gets


@frozen(kw_only=True)
class CiRun:
    """A run, as far as its service tells.

    Attributes:
        actor: who started the run; empty when unknown.
        url: the address of the run; empty when unknown.
    """

    actor: str = ""
    url: str = ""


@frozen(kw_only=True)
class CiService:
    """A CI service.

    Attributes:
        marker: a variable that it sets in every run.
        actors: variables that name who started a run, best first.
        url: the address of a run; braces contain variables.
    """

    marker: str
    actors: tuple[str, ...]
    url: str


SERVICES = (
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables; Gitea and Forgejo set the same
    CiService(
        marker="GITHUB_ACTIONS",
        actors=("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        url="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    CiService(marker="GITLAB_CI", actors=("GITLAB_USER_LOGIN",), url="{CI_JOB_URL}"),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    CiService(
        marker="BITBUCKET_BUILD_NUMBER",
        actors=("BITBUCKET_STEP_TRIGGERER_UUID",),
        url="{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    ),
    # https://circleci.com/docs/reference/variables/
    CiService(marker="CIRCLECI", actors=("CIRCLE_USERNAME",), url="{CIRCLE_BUILD_URL}"),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    CiService(marker="BUILDKITE", actors=("BUILDKITE_BUILD_CREATOR",), url="{BUILDKITE_BUILD_URL}"),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables
    CiService(
        marker="TF_BUILD",
        actors=("BUILD_REQUESTEDFOR",),
        url="{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    CiService(marker="CODEBUILD_BUILD_ID", actors=("CODEBUILD_INITIATOR",), url="{CODEBUILD_PUBLIC_BUILD_URL}"),
    # https://plugins.jenkins.io/build-user-vars-plugin/
    CiService(marker="JENKINS_URL", actors=("BUILD_USER_ID",), url="{BUILD_URL}"),
)


def find_ci_run(environ: Mapping[str, str]) -> CiRun:
    """Return the run that environment variables describe; an empty one outside of CI."""
    for service in SERVICES:
        if any(environ.get(name) for name in (service.marker, *service.actors)):
            actor = next((environ[name] for name in service.actors if environ.get(name)), "")
            return CiRun(actor=printable(actor).strip()[:MAX_LENGTH], url=_fill_url(service.url, environ))
    return CiRun()


def _fill_url(template: str, environ: Mapping[str, str]) -> str:
    """Return an address; empty when a variable is missing or the result is no address."""
    names = [piece.partition("}")[0] for piece in template.split("{")[1:]]
    if not all(environ.get(name) for name in names):
        return ""
    url = quote(template.format_map(environ), safe="!#$%&'()*+,/:;=?@[]~")
    return url if url.startswith(("https://", "http://")) and len(url) <= MAX_LENGTH else ""
