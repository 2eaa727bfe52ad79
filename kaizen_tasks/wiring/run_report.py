"""Chooses the pages on which a run is shown, by the variables of its CI service."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host.ci_run import find_ci_run
from kaizen_tasks.adapters.host.job_page import has_job_page
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.run_report import NO_HOLDS

if TYPE_CHECKING:
    from kaizen_tasks.adapters.forge.deployment_queue import DeploymentQueue
    from kaizen_tasks.domain.forge import ForgeProject
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.ports.run_report import RunReport
    from kaizen_tasks.ports.tools import CommandTools


class NoRunReport:
    """No page, as in a dry run and on a laptop; implements the port `RunReport`."""

    has_failure = False

    def record(self, entry: LedgerEntry) -> None:
        """Show nothing."""

    def finish(
        self,
        title: str,
        *,
        text: str = "",
        next_step: str = "",
        environments: Sequence[str] = (),
        holds: Mapping[str, str] = NO_HOLDS,
    ) -> tuple[str, ...]:
        """Show nothing."""
        return ()


def select_run_report(tools: CommandTools, environ: Mapping[str, str]) -> RunReport:
    """Return the pages of this run.

    Args:
        tools: the toolbox; nothing of it is used where there are no pages.
        environ: the environment variables.
    """
    if tools.dry or not (find_ci_run(environ).service or has_job_page(environ)):
        return NoRunReport()
    from kaizen_tasks.domain.forge import TOKEN_VARIABLES, find_project

    has_token = bool(find_ci_run(environ).service) and any(environ.get(name) for name in TOKEN_VARIABLES)
    if not (has_token or has_job_page(environ)):
        return NoRunReport()
    from kaizen_tasks.domain.init.ci.inputs import locate_app
    from kaizen_tasks.wiring.ci_report import CiRunReport

    settings = tools.settings
    repository_url, folder = _locate(tools)
    project = find_project(repository_url, kind=settings.release.forge, environ=environ)
    shows_deployments = has_token and settings.release.deployment_status and settings.environments
    return CiRunReport(
        app=settings.app,
        environments=settings.environments,
        component=locate_app(folder, settings.release.tag).name,
        project=project,
        queue=_deployment_queue(project, tools, environ) if project and shows_deployments else None,
        environ=environ,
    )


def _deployment_queue(project: ForgeProject, tools: CommandTools, environ: Mapping[str, str]) -> DeploymentQueue | None:
    """Return what sends the states of deployments; None without a token for the repository's server."""
    from kaizen_tasks.adapters.forge.deployment_queue import DeploymentQueue
    from kaizen_tasks.adapters.forge.select import has_token
    from kaizen_tasks.adapters.forge.select_deployments import open_deployments

    if not has_token(project, environ):
        return None
    run_url, actor, prober, clock = tools.run_url, tools.actor, tools.prober, tools.clock
    return DeploymentQueue(
        project.name,
        partial(open_deployments, project, run_url=run_url, actor=actor, environ=environ, prober=prober, clock=clock),
    )


def _locate(tools: CommandTools) -> tuple[str, str]:
    """Return the web page of the app's repository and the app's folder in it; a promotion may run without a clone."""
    try:
        return tools.scm.web_url(), posixpath.dirname(tools.scm.path_in_repository("VERSION"))
    except KaizenError:
        return "", ""
