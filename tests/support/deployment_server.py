"""Servers that keep deployments as GitHub and GitLab do, of one repository, and check what they are sent.

Members and their types are those of https://docs.github.com/en/rest/deployments and
https://docs.gitlab.com/api/deployments/.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import define, field

from kaizen_tasks.domain.deployment_status import MAX_DESCRIPTION_LENGTH
from tests.support.forge_server import GitHubServer, GitLabServer, json_reply

if TYPE_CHECKING:
    from tests.support.scripted_server import Reply

DEPLOYMENT_MEMBERS: Mapping[str, type] = {
    **dict.fromkeys(("ref", "task", "environment", "description"), str),
    **dict.fromkeys(("auto_merge", "transient_environment", "production_environment"), bool),
    "required_contexts": list,
    "payload": dict,
}
STATUS_MEMBERS: Mapping[str, type] = {
    **dict.fromkeys(("state", "description", "environment", "log_url", "environment_url"), str),
    "auto_inactive": bool,
}
STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
GITLAB_MEMBERS: Mapping[str, type] = {**dict.fromkeys(("environment", "sha", "ref", "status"), str), "tag": bool}
GITLAB_STATUSES = ("running", "success", "failed", "canceled")
FIRST_NUMBER = 7_000_000_000
"""Larger than what 32 bits hold, as today's are."""


@define
class GitHubDeploymentServer(GitHubServer):
    """Answers as GitHub does.

    Attributes:
        deployments: deployments, oldest first, each with its `statuses`.
        commits: the commits that it has; None for any.
    """

    deployments: list[dict[str, Any]] = field(factory=list)
    commits: set[str] | None = None

    def answer(self, method: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
        root = f"/repos/{self.path}/deployments"
        match (method, path.removeprefix(root).split("/") if path.startswith(root) else []):
            case "GET", [""]:
                return json_reply(200, self._find(query))
            case "POST", [""]:
                return self._create(content)
            case "GET", ["", number, "statuses"]:
                return json_reply(200, self._deployment(number)["statuses"][::-1][: int(query["per_page"])])
            case "POST", ["", number, "statuses"]:
                return self._add_status(self._deployment(number), content)
            case _:
                return super().answer(method, path, query, content)

    @property
    def shown(self) -> list[tuple[str, list[str]]]:
        """The environment and the states of each deployment, oldest first."""
        return [(each["environment"], [status["state"] for status in each["statuses"]]) for each in self.deployments]

    def _deployment(self, number: str) -> dict[str, Any]:
        return self.deployments[int(number) - FIRST_NUMBER]

    def _find(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = {name: value for name, value in query.items() if name in {"sha", "task", "environment"}}
        found = [each for each in self.deployments if all(each[name] == value for name, value in wanted.items())]
        return found[::-1][: int(query["per_page"])]

    def _create(self, content: dict[str, Any]) -> Reply:
        check_members(content, DEPLOYMENT_MEMBERS, required={"ref"})
        if self.commits is not None and content["ref"] not in self.commits:
            return json_reply(422, {"message": f"No ref found for: {content['ref']}"})
        if content.get("auto_merge", True) or content.get("required_contexts") != []:
            return json_reply(409, {"message": "Conflict: Commit status checks failed for the ref."})
        defaults = {"environment": "production", "task": "deploy", "payload": ""}
        number = FIRST_NUMBER + len(self.deployments)
        self.deployments.append({**defaults, **content, "id": number, "sha": content["ref"], "statuses": []})
        return json_reply(201, self.deployments[-1])

    def _add_status(self, deployment: dict[str, Any], content: dict[str, Any]) -> Reply:
        check_members(content, STATUS_MEMBERS, required={"state"})
        if len(content.get("description", "")) > MAX_DESCRIPTION_LENGTH or content["state"] not in STATES:
            return json_reply(422, {"message": "Validation Failed", "errors": [{"code": "custom"}]})
        if content["state"] == "success" and content.get("auto_inactive", True):
            self._deactivate_before(deployment)
        deployment["statuses"].append(content)
        return json_reply(201, content)

    def _deactivate_before(self, deployment: dict[str, Any]) -> None:
        for other in self.deployments[: deployment["id"] - FIRST_NUMBER]:
            is_active = other["statuses"] and other["statuses"][-1]["state"] == "success"
            keeps = other.get("production_environment") or other.get("transient_environment")
            if is_active and not keeps and other["environment"] == deployment["environment"]:
                other["statuses"].append({"state": "inactive"})


@define
class GitLabDeploymentServer(GitLabServer):
    """Answers as GitLab does.

    Attributes:
        deployments: deployments, oldest first.
        environments: environments by name.
    """

    deployments: list[dict[str, Any]] = field(factory=list)
    environments: dict[str, dict[str, Any]] = field(factory=dict)

    def answer(self, method: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
        root = f"/projects/{quote(self.path, safe='')}/"
        match (method, path.removeprefix(root).split("/")):
            case "GET", ["deployments"]:
                assert (query["order_by"], query["sort"]) == ("id", "desc")
                found = [each for each in self.deployments if each["environment"]["name"] == query["environment"]]
                return json_reply(200, found[::-1][: int(query["per_page"])])
            case "POST", ["deployments"]:
                return self._create(content)
            case "PUT", ["deployments", number]:
                return self._set_status(self.deployments[int(number) - 1], content["status"])
            case "PUT", ["environments", number]:
                changed = next(each for each in self.environments.values() if each["id"] == int(number))
                changed.update(content)
                return json_reply(200, changed)
            case _:
                return super().answer(method, path, query, content)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The environment and the status of each deployment, oldest first."""
        return [(each["environment"]["name"], each["status"]) for each in self.deployments]

    def _create(self, content: dict[str, Any]) -> Reply:
        check_members(content, GITLAB_MEMBERS, required=GITLAB_MEMBERS)
        if content["status"] not in GITLAB_STATUSES or not content["ref"]:
            return json_reply(400, {"error": "status does not have a valid value"})
        name = content["environment"]
        new = {"id": len(self.environments) + 1, "name": name, "external_url": None}
        environment = self.environments.setdefault(name, new)
        deployment = {**content, "id": len(self.deployments) + 1, "environment": environment, "deployable": None}
        self.deployments.append(deployment)
        return json_reply(201, deployment)

    def _set_status(self, deployment: dict[str, Any], status: str) -> Reply:
        if deployment["deployable"]:
            message = "403 Forbidden - Deployments created using GitLab CI can not be updated using the API"
            return json_reply(403, {"message": message})
        if deployment["status"] == status or status not in GITLAB_STATUSES:
            return json_reply(400, {"message": {"status": [f"Cannot transition status via :{status}"]}})
        deployment["status"] = status
        return json_reply(200, deployment)


def check_members(content: dict[str, Any], members: Mapping[str, type], *, required: Collection[str]) -> None:
    """Check the names and types of a request's members."""
    assert set(required) <= content.keys() <= members.keys()
    assert {name: type(value) for name, value in content.items()} == {name: members[name] for name in content}
