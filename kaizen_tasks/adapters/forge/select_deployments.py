"""Chooses the adapter for the deployments of the server of the remote."""

from __future__ import annotations

from collections.abc import Mapping

from kaizen_tasks.adapters.forge import github_deployments, gitlab_deployments
from kaizen_tasks.adapters.forge.deployment_queue import Deployments
from kaizen_tasks.adapters.forge.select import connect
from kaizen_tasks.domain.forge import ForgeProject
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.platform import Prober


def open_deployments(
    project: ForgeProject, *, run_url: str, actor: str, environ: Mapping[str, str], prober: Prober, clock: Clock
) -> Deployments:
    """Return the deployments of a repository.

    Args:
        project: the repository.
        run_url: the address of the CI run; or empty.
        actor: who started the run.
        environ: the environment variables, with a token.
        prober: sends the requests.
        clock: waits before a failed question is asked again.

    Raises:
        ConfigurationError: the variable that should hold a token holds something else.
    """
    if project.kind == "github":
        api = connect(project, needs=github_deployments.NEEDS, environ=environ, prober=prober, clock=clock)
        return github_deployments.GitHubDeployments(api, run_url=run_url, actor=actor)
    api = connect(project, needs=gitlab_deployments.NEEDS, environ=environ, prober=prober, clock=clock)
    return gitlab_deployments.GitLabDeployments(
        api,
        ref=environ.get("CI_COMMIT_REF_NAME", ""),
        is_tag=bool(environ.get("CI_COMMIT_TAG")),
        job_environment=environ.get("CI_ENVIRONMENT_NAME", ""),
    )
