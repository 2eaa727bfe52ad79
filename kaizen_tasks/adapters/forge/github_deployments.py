"""Deployments on GitHub: https://docs.github.com/en/rest/deployments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from attrs import define, field

from kaizen_tasks.adapters.forge.api import ForgeApi
from kaizen_tasks.domain.deployment_status import DeploymentState, DeploymentStatus

NEEDS = "the permission “Deployments” to write (in a workflow, deployments: write)"
TASK = "deploy"
ORIGIN = "kaizen_tasks"
"""What the payload of our deployments says about who created them: a job with `environment` gets others from GitHub."""

MAX_LISTED = "10"


@define
class GitHubDeployments:
    """The deployments of a repository. Safe to use from several threads, for different environments.

    Attributes:
        run_url: the address of the CI run, which is linked; or empty.
        actor: who caused the deployments.
    """

    _api: ForgeApi
    _run_url: str
    _actor: str
    _known: dict[tuple[str, str], tuple[int, str]] = field(init=False, factory=dict)
    """Number and state of the deployments of this run, by environment and digest."""

    def show(self, status: DeploymentStatus) -> None:
        """Give a deployment its state; create the deployment if there is none that goes on.

        A run that was killed has left its deployment in progress, so the run that finishes it finds it there.
        """
        key = (status.environment, status.digest)
        number, state = self._known.get(key, (0, ""))
        if not number or (status.is_open and not _is_unfinished(state)):
            number, state = self._find(status)
        if not number:
            if status.state is DeploymentState.INACTIVE:
                return  # what was never shown has not to be taken back
            number, state = self._create(status), ""
        self._known[key] = (number, state)
        if state == status.state and not status.is_open:
            return
        self._set_state(number, status)
        if status.state is DeploymentState.SUCCESS and status.is_protected:
            self._deactivate_before(number, status)
        self._known[key] = (number, status.state)

    def _find(self, status: DeploymentStatus) -> tuple[int, str]:
        """Return the newest deployment of a release with its state, if the new state can follow; else zero."""
        for document in self._list(environment=status.environment, sha=status.commit):
            if _payload(document).get("digest") == status.digest:
                state = self._state(document["id"])
                follows = _is_unfinished(state) if status.is_open else state != DeploymentState.INACTIVE
                return (document["id"], state) if follows else (0, "")
        return 0, ""

    def _create(self, status: DeploymentStatus) -> int:
        payload = {"created_by": ORIGIN, "release": status.release, "digest": status.digest, "actor": self._actor}
        document = self._api.send(
            "POST",
            self._path,
            {
                "ref": status.commit,
                "task": TASK,
                "environment": status.environment,
                "description": status.release,
                "payload": payload,
                "auto_merge": False,
                "required_contexts": [],  # what a release needs is checked before it
                "transient_environment": False,
                "production_environment": status.is_protected,
            },
        ).document
        return int(document["id"])

    def _set_state(self, number: int, status: DeploymentStatus) -> None:
        links = {"environment_url": status.url, "log_url": self._run_url}
        self._api.send(
            "POST",
            f"{self._path}/{number}/statuses",
            {
                "state": str(status.state),
                "description": status.description,
                **{name: url for name, url in links.items() if url},
            },
        )

    def _deactivate_before(self, number: int, status: DeploymentStatus) -> None:
        """End the deployment that was active until now, which GitHub does by itself only outside of production."""
        for document in self._list(environment=status.environment):
            if document["id"] < number and self._state(document["id"]) == DeploymentState.SUCCESS:
                body = {"state": str(DeploymentState.INACTIVE), "description": f"{status.release} has replaced it"}
                self._api.send("POST", f"{self._path}/{document['id']}/statuses", body)
                return

    def _list(self, **query: str) -> Iterator[Any]:
        """Yield our deployments, newest first."""
        documents = self._api.list(self._path, task=TASK, per_page=MAX_LISTED, **query)
        yield from (document for document in documents if _payload(document).get("created_by") == ORIGIN)

    def _state(self, number: int) -> str:
        """Return the newest state of a deployment; empty when it has none yet."""
        statuses = self._api.list(f"{self._path}/{number}/statuses", per_page="1")
        return str(statuses[0]["state"]) if statuses else ""

    @property
    def _path(self) -> str:
        return f"/repos/{quote(self._api.project.path)}/deployments"


def _is_unfinished(state: str) -> bool:
    return state in {"", "pending", "queued", DeploymentState.IN_PROGRESS}


def _payload(document: Any) -> Mapping[str, object]:
    """Return what a deployment says about itself: GitHub gives an object back as one, or as its text."""
    payload = document["payload"]
    if isinstance(payload, str):
        try:
            payload = json.loads(payload or "{}")
        except ValueError:
            payload = {}
    return payload if isinstance(payload, Mapping) else {}
