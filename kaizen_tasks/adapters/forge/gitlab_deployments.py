"""Deployments and environments on GitLab: https://docs.gitlab.com/api/deployments/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from attrs import define, field

from kaizen_tasks.adapters.forge.api import ForgeApi
from kaizen_tasks.domain.deployment_status import DeploymentState, DeploymentStatus
from kaizen_tasks.domain.init.ci.inputs import ci_environment_for

NEEDS = "the scope “api”, and the right to deploy to the environment"
MAX_LISTED = "10"

_STATES: Mapping[DeploymentState, str] = {
    DeploymentState.IN_PROGRESS: "running",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failed",
    DeploymentState.INACTIVE: "canceled",
}
_UNFINISHED = {"created", "running"}


@define
class GitLabDeployments:
    """The deployments of a project. Safe to use from several threads, for different environments.

    Attributes:
        ref: the branch or tag of the pipeline.
        is_tag: whether it is a tag.
        job_environment: the environment that the job names, whose deployment GitLab itself shows; or empty.
    """

    _api: ForgeApi
    _ref: str
    _is_tag: bool
    _job_environment: str = ""
    _known: dict[tuple[str, str], tuple[int, str]] = field(init=False, factory=dict)
    """Number and state of the deployments of this run, by environment and digest."""

    def show(self, status: DeploymentStatus) -> None:
        """Give a deployment its state; create the deployment if there is none that goes on."""
        if self._job_environment in _names(status.environment):
            return  # with two, GitLab would take the job of a later pipeline for outdated
        key, state = (status.environment, status.digest), _STATES[status.state]
        number, previous_state = self._known.get(key, (0, ""))
        if not number or (status.is_open and previous_state not in _UNFINISHED):
            number, previous_state = self._find(status)
        if number and state != previous_state:
            self._api.send("PUT", f"{self._path}/deployments/{number}", {"status": state})
        elif not number and status.state is not DeploymentState.INACTIVE:
            number = self._create(status, state)
        self._known[key] = (number, state)

    def _find(self, status: DeploymentStatus) -> tuple[int, str]:
        """Return the newest deployment of a release's commit with its state, if the new state can follow; else zero.

        A deployment of a job cannot be changed.
        """
        query = {"environment": status.environment, "order_by": "id", "sort": "desc", "per_page": MAX_LISTED}
        for document in self._api.list(f"{self._path}/deployments", **query):
            if document["sha"] == status.commit and not document.get("deployable"):
                state = document["status"]
                is_match = state in _UNFINISHED if status.is_open else state != "canceled"
                return (document["id"], state) if is_match else (0, "")
        return 0, ""

    def _create(self, status: DeploymentStatus, state: str) -> int:
        deployment = {
            "environment": status.environment,
            "sha": status.commit,
            "ref": self._ref,
            "tag": self._is_tag,
            "status": state,
        }
        document = self._api.send("POST", f"{self._path}/deployments", deployment).document
        self._link(document["environment"], status.url)
        return int(document["id"])

    def _link(self, environment: Any, url: str) -> None:
        """Let the environment's page open the app."""
        if url and environment["external_url"] != url:
            self._api.send("PUT", f"{self._path}/environments/{environment['id']}", {"external_url": url})

    @property
    def _path(self) -> str:
        return f"/projects/{quote(self._api.project.path, safe='')}"


def _names(environment: str) -> tuple[str, str]:
    """Return the names of an environment: its own, and the one that the job of a protected stage has for it."""
    folder, slash, name = environment.rpartition("/")
    return environment, f"{folder}{slash}{ci_environment_for(name)}"
