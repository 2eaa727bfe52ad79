"""Commands in tasks of ECS: the definition that a service runs with another image, started once for each token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from kaizen_tasks.adapters.aws.cloudwatch import read_page
from kaizen_tasks.adapters.aws.ecs import tasks
from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.log_stream import log_location
from kaizen_tasks.adapters.aws.ecs.revisions import Revisions
from kaizen_tasks.adapters.aws.ecs.task_definition import family
from kaizen_tasks.domain.command import CommandState, CommandStatus, OutputPage
from kaizen_tasks.errors import DeployFailed, NotFound, Refused
from kaizen_tasks.ports.commands import Commands

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document
    from kaizen_tasks.domain.command import TaskSettings
    from kaizen_tasks.domain.environment import Environment

FAMILY_SUFFIX = "-command"
"""Ends the family of the definitions in which commands run. The service's own family gets no revision for a command:
whoever starts its latest one must not get an image that never served."""

PLACEMENT_MEMBERS = ("networkConfiguration", "capacityProviderStrategy", "launchType", "platformVersion")
"""What a task is started with as the service's own tasks are; a strategy excludes a launch type."""

STARTING_STATUSES = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})


@frozen(kw_only=True)
class _Base:
    """What a command runs with.

    Attributes:
        definition: reference of the task definition.
        placement: members of RunTask that say where and how.
    """

    definition: str
    placement: Mapping[str, object]


class EcsCommands(Commands):
    """Runs commands in one cluster. Safe to use from several threads.

    Args:
        cluster: the cluster.
        container: name of the container that runs the app; empty for the essential one.
    """

    def __init__(self, cluster: Cluster, *, container: str) -> None:
        self._cluster = cluster
        self._revisions = Revisions(cluster, container)
        self._streams: dict[str, tuple[str, str]] = {}  # group and stream by task

    def start(self, environment: Environment, *, image: str, words: Sequence[str], token: str) -> str:
        """Start a task with the definition of the service, the image and the command, and return its ARN.

        The token is the `clientToken` of the request, which AWS answers with the same task for 24 hours, and the task's
        `startedBy`, by which it is found.
        """
        base = self._base(environment)
        container = str(self._revisions.app_container(base.definition)["name"])
        request = {
            "cluster": self._cluster.name,
            "taskDefinition": self._definition(base.definition, container, image),
            "overrides": {"containerOverrides": [{"name": container, "command": list(words)}]},
            "clientToken": token,
            "startedBy": token,
            **base.placement,
        }
        with self._cluster.errors(f"start a command in {environment.name}"):
            response = self._run_task(request)
        if not response["tasks"]:
            reasons = "; ".join(_failure_text(failure) for failure in response.get("failures", ()))
            raise Refused(f"ECS started no task in the cluster {self._cluster.name}: {reasons or 'it gives no reason'}")
        return str(response["tasks"][0]["taskArn"])

    def find(self, environment: Environment, token: str) -> str:
        """Return the ARN of the task that was started with a token; empty without one.

        `startedBy` is documented as the only filter of its request, so ended tasks are found by their family.
        """
        running = next(self._list(startedBy=token), "")
        if running:
            return running
        family_name = f"{family(self._base(environment).definition)}{FAMILY_SUFFIX}"
        for batch in _batches(tuple(self._list(family=family_name, desiredStatus="STOPPED"))):
            for task in self._describe(batch):
                if task.get("startedBy") == token:
                    return str(task["taskArn"])
        return ""

    def status(self, environment: Environment, command: str) -> CommandStatus:
        """Return how far a task is; one whose program has ended has ended, whatever is still cleaned up."""
        found = self._describe((command,))
        if not found:
            return CommandStatus(state=CommandState.GONE)
        task = found[0]
        container = self._container(task)
        exit_code = container.get("exitCode")
        started_at, status = task.get("createdAt"), task.get("lastStatus", "")
        if exit_code is not None or status == "STOPPED":
            reason = str(container.get("reason") or task.get("stoppedReason") or "")
            return CommandStatus(state=CommandState.ENDED, exit_code=exit_code, reason=reason, started_at=started_at)
        state = CommandState.STARTING if status in STARTING_STATUSES else CommandState.RUNNING
        return CommandStatus(state=state, started_at=started_at)

    def output(self, environment: Environment, command: str, *, cursor: str = "") -> OutputPage:
        """Return the next lines of the container's log stream; a stream begins with its first line."""
        if command not in self._streams:
            found = self._describe((command,))
            if not found:
                return OutputPage(lines=(), cursor=cursor)
            location = log_location(self._revisions.app_container(found[0]["taskDefinitionArn"]))
            self._streams[command] = (location.group, location.stream(tasks.task_id(found[0])))
        lines, next_cursor = read_page(self._cluster.aws, *self._streams[command], cursor=cursor)
        return OutputPage(lines=lines, cursor=next_cursor)

    def stop(self, environment: Environment, command: str, *, reason: str) -> None:
        """Stop a task; one that has ended, or that ECS has forgotten, stays as it is."""
        try:
            with self._cluster.errors(f"stop the command in {environment.name}"):
                self._cluster.client.stop_task(cluster=self._cluster.name, task=command, reason=reason)
        except (NotFound, Refused):
            if self.status(environment, command).state not in {CommandState.ENDED, CommandState.GONE}:
                raise

    def _run_task(self, request: Mapping[str, object]) -> Document:
        """Start a task; if its token was used for another definition, return the task that was started then."""
        from botocore.exceptions import ClientError

        try:
            return self._cluster.retry_first_use(lambda: self._cluster.client.run_task(**request))
        except ClientError as error:
            known: Sequence[str] = error.response.get("resourceIds", ())  # type: ignore[assignment]  # its own member
            if error.response["Error"]["Code"] != "ConflictException" or not known:
                raise
            return {"tasks": [{"taskArn": known[0]}]}

    def _base(self, environment: Environment) -> _Base:
        """Return what the service runs now or, on a platform that runs no commands, what is configured."""
        if environment.task is not None:
            return self._base_of_task(environment.task)
        with self._cluster.errors(f"read the service {environment.service}"):
            response = self._cluster.client.describe_services(
                cluster=self._cluster.name, services=[environment.service]
            )
        services = [each for each in response["services"] if each["status"] != "INACTIVE"]
        if not services:
            message = f"there is no service {environment.service} in the cluster {self._cluster.name}"
            raise NotFound(message, hint=self._cluster.service_hint)
        current: Document = max(
            services[0].get("currentServiceRevisions", ()),
            key=lambda revision: revision.get("runningTaskCount", 0),
            default={},
        )
        revision = self._revisions.read([current.get("arn", "")]).get(current.get("arn", ""), services[0])
        return _Base(definition=str(revision["taskDefinition"]), placement=_placement(revision))

    def _base_of_task(self, task: TaskSettings) -> _Base:
        try:
            response = self._revisions.definition(task.family)["taskDefinition"]
        except NotFound as error:
            message = f"there is no task definition {task.family}"
            raise NotFound(message, hint="register it, or correct `task` in the configuration") from error
        is_fargate = "FARGATE" in response.get("requiresCompatibilities", ())
        placement: dict[str, object] = {"launchType": "FARGATE"} if is_fargate else {}
        if response.get("networkMode") == "awsvpc":
            groups = {"securityGroups": list(task.security_groups)} if task.security_groups else {}
            address = {"assignPublicIp": "ENABLED" if task.public_ip else "DISABLED"}
            network = {"awsvpcConfiguration": {"subnets": list(task.subnets), **groups, **address}}
            placement["networkConfiguration"] = network
        return _Base(definition=str(response["taskDefinitionArn"]), placement=placement)

    def _definition(self, base: str, container: str, image: str) -> str:
        """Return the definition with the image, in a family of its own: the latest revision, or a new one.

        A run that is repeated must send the same request with its token, so a revision that is there already is used.
        """
        try:
            return self._revisions.register(base, container, image, family=f"{family(base)}{FAMILY_SUFFIX}")
        except DeployFailed as error:
            raise Refused(error.message, hint=error.hint) from error

    def _list(self, **filters: str) -> Iterator[str]:
        token = ""
        while True:
            page = {"nextToken": token} if token else {}
            with self._cluster.errors(f"list the tasks of the cluster {self._cluster.name}"):
                response = self._cluster.client.list_tasks(cluster=self._cluster.name, **filters, **page)
            yield from response["taskArns"]
            token = response.get("nextToken", "")
            if not token:
                return

    def _describe(self, arns: Sequence[str]) -> Sequence[Document]:
        """Return tasks by their ARNs; those that ECS has forgotten are missing."""
        with self._cluster.errors(f"read the tasks of the cluster {self._cluster.name}"):
            response = self._cluster.client.describe_tasks(cluster=self._cluster.name, tasks=list(arns))
        found: Sequence[Document] = response["tasks"]
        return found

    def _container(self, task: Document) -> Document:
        """Return the container of a task that runs the command."""
        overrides = task.get("overrides", {}).get("containerOverrides", ())
        names = [override["name"] for override in overrides if override.get("command")]
        return next((each for each in task.get("containers", ()) if each["name"] in names), {})


def _placement(revision: Document) -> dict[str, Any]:
    members = {name: revision[name] for name in PLACEMENT_MEMBERS if revision.get(name)}
    if "capacityProviderStrategy" in members:
        members.pop("launchType", None)
    return members


def _failure_text(failure: Document) -> str:
    return ": ".join(filter(None, (failure.get("reason", ""), failure.get("detail", ""))))


def _batches(arns: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (arns[start : start + tasks.MAX_TASKS] for start in range(0, len(arns), tasks.MAX_TASKS))
