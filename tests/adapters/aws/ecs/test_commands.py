"""Commands in tasks of ECS: what is sent, and what is made of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.ecs.commands import EcsCommands
from kaizen_tasks.domain.command import CommandState, TaskSettings
from kaizen_tasks.errors import NotFound, Refused
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.answers import NEW_IMAGE, at, container, definition_arn
from tests.adapters.aws.ecs.scripted_ecs import ACCOUNT, REGION, ScriptedAws, ScriptedEcs, cluster, error
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/0a1b2c3d"
TOKEN = "5f" * 16
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
ENVIRONMENT = evolve(settings(defaults={"platform": "ecs-express"}).environments["prod"], service="web", cluster="main")
ON_APP_RUNNER = evolve(
    settings().environments["prod"], task=TaskSettings(family="web", subnets=("subnet-1",), public_ip=True)
)
COMMAND_FAMILY = answers.definition(
    container(image=NEW_IMAGE),
    family="web-command",
    taskDefinitionArn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web-command:7",
)
COMMAND_FAMILY["tags"] = [{"key": "team", "value": "coach"}]


def definitions(latest: dict[str, Any] | None) -> Any:
    """Answer DescribeTaskDefinition: with the service's own, and the latest in which commands ran, if any."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if not request["taskDefinition"].endswith("-command") and "-command:" not in request["taskDefinition"]:
            return answers.definition()
        if latest is None:
            raise error("ClientException", "Unable to describe task definition.")
        return latest

    return answer


def task(status: str = "RUNNING", *, exit_code: int | None = None, **members: Any) -> dict[str, Any]:
    """Return a task whose container `web` runs a command, beside a container that does not."""
    ended = {} if exit_code is None else {"exitCode": exit_code}
    return {
        "taskArn": TASK,
        "taskDefinitionArn": definition_arn(1),
        "createdAt": at(0),
        "lastStatus": status,
        "startedBy": TOKEN,
        "overrides": {"containerOverrides": [{"name": "web", "command": ["migrate"]}]},
        "containers": [{"name": "proxy", "exitCode": 0}, {"name": "web", **ended}],
        **members,
    }


@pytest.fixture
def aws() -> ScriptedAws:
    aws = ScriptedAws()
    aws.client.answer("DescribeServices", answers.services(answers.service()))
    revision = answers.revision(1, launchType="FARGATE", platformVersion="1.4.0", networkConfiguration=NETWORK)
    aws.client.answer("DescribeServiceRevisions", answers.revisions(revision))
    aws.client.answer("DescribeTaskDefinition", definitions(None))
    aws.client.answer("RegisterTaskDefinition", answers.registered)
    aws.client.answer("RunTask", {"tasks": [task("PROVISIONING")], "failures": []})
    aws.client.answer("DescribeTasks", {"tasks": [task()], "failures": []})
    return aws


@pytest.fixture
def ecs(aws: ScriptedAws) -> ScriptedEcs:
    return aws.client


@pytest.fixture
def commands(aws: ScriptedAws) -> EcsCommands:
    return EcsCommands(cluster(aws), container="")


def start(commands: EcsCommands, environment: Any = ENVIRONMENT) -> str:
    return commands.start(environment, image=NEW_IMAGE, words=("python", "migrate"), token=TOKEN)


class TestStart:
    def test_task_runs_as_the_service_does_with_the_image_and_the_command(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        assert start(commands) == TASK

        (request,) = ecs.asked("RunTask")
        assert request == {
            "cluster": "main",
            "taskDefinition": definition_arn(2),
            "overrides": {"containerOverrides": [{"name": "web", "command": ["python", "migrate"]}]},
            "clientToken": TOKEN,
            "startedBy": TOKEN,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "networkConfiguration": NETWORK,
        }

    def test_definition_differs_in_family_and_image_alone(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        start(commands)

        (request,) = ecs.asked("RegisterTaskDefinition")
        (own,) = answers.definition()["taskDefinition"]["containerDefinitions"]
        assert (request["family"], request["containerDefinitions"]) == ("web-command", [{**own, "image": NEW_IMAGE}])
        assert request["taskRoleArn"] == f"{answers.ROLE}/web"
        assert request["tags"] == [{"key": "team", "value": "coach"}]

    def test_definition_that_is_there_is_used_again_so_that_the_request_stays_the_same(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        ecs.answer("DescribeTaskDefinition", definitions(COMMAND_FAMILY))

        start(commands)

        assert ecs.asked("RegisterTaskDefinition") == []
        assert ecs.asked("RunTask")[0]["taskDefinition"].endswith("web-command:7")

    @pytest.mark.parametrize("change", [{"image": "other@sha256:1"}, {"environment": []}])
    def test_definition_that_differs_is_not(
        self, commands: EcsCommands, ecs: ScriptedEcs, change: dict[str, Any]
    ) -> None:
        other = {
            **COMMAND_FAMILY["taskDefinition"],
            "containerDefinitions": [container(**{"image": NEW_IMAGE, **change})],
        }
        ecs.answer("DescribeTaskDefinition", definitions({**COMMAND_FAMILY, "taskDefinition": other}))

        start(commands)

        assert len(ecs.asked("RegisterTaskDefinition")) == 1

    def test_strategy_excludes_a_launch_type(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        revision = answers.revision(1, launchType="FARGATE", capacityProviderStrategy=strategy)
        ecs.answer("DescribeServiceRevisions", answers.revisions(revision))

        start(commands)

        (request,) = ecs.asked("RunTask")
        assert request["capacityProviderStrategy"] == strategy
        assert "launchType" not in request

    def test_service_that_names_no_revision_is_taken_as_it_is(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        service = answers.service(networkConfiguration=NETWORK, currentServiceRevisions=[])
        ecs.answer("DescribeServices", answers.services(service))

        start(commands)

        assert ecs.asked("RunTask")[0]["networkConfiguration"] == NETWORK

    def test_token_that_was_used_with_another_definition_gives_the_task_of_then(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        conflict = error("ConflictException", "The provided clientToken is already in use.")
        cast("dict[str, Any]", conflict.response)["resourceIds"] = [TASK]
        ecs.answer("RunTask", conflict)

        assert start(commands) == TASK

    def test_task_that_cannot_be_placed_is_refused_with_the_reason(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        failure = {"reason": "Capacity is unavailable at this time.", "detail": "try another zone"}
        ecs.answer("RunTask", {"tasks": [], "failures": [failure]})

        with pytest.raises(
            Refused, match=r"started no task .* Capacity is unavailable at this time.: try another zone"
        ):
            start(commands)

    def test_service_that_does_not_exist_is_not_found(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeServices", answers.services())

        with pytest.raises(NotFound, match="there is no service web in the cluster main"):
            start(commands)

    def test_definition_that_is_not_accepted_is_refused(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("RegisterTaskDefinition", error("ClientException", "Role is not valid"))

        with pytest.raises(Refused, match="Role is not valid"):
            start(commands)


class TestStartOfAnAppRunnerEnvironment:
    def test_task_runs_with_the_configured_definition_and_network(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        start(commands, ON_APP_RUNNER)

        (request,) = ecs.asked("RunTask")
        assert request["networkConfiguration"] == {
            "awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}
        }
        assert request["launchType"] == "FARGATE"
        assert ecs.asked("DescribeServices") == []

    def test_definition_without_a_network_of_its_own_gets_none(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        definition = answers.definition(networkMode="bridge", requiresCompatibilities=["EC2"])
        ecs.answer("DescribeTaskDefinition", definition)

        start(commands, ON_APP_RUNNER)

        (request,) = ecs.asked("RunTask")
        assert "networkConfiguration" not in request
        assert "launchType" not in request

    def test_definition_that_does_not_exist_is_not_found(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeTaskDefinition", error("ClientException", "Unable to describe task definition."))

        with pytest.raises(NotFound) as missing:
            start(commands, ON_APP_RUNNER)

        assert (missing.value.message, missing.value.hint) == (
            "there is no task definition web",
            "register it, or correct `task` in the configuration",
        )


class TestFind:
    def test_running_task_is_found_by_its_token(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("ListTasks", {"taskArns": [TASK]})

        assert commands.find(ENVIRONMENT, TOKEN) == TASK
        assert ecs.asked("ListTasks") == [{"cluster": "main", "startedBy": TOKEN}]

    def test_ended_task_is_found_among_those_of_its_family(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        first_page: dict[str, Any] = {"taskArns": [f"{TASK}0"], "nextToken": "2"}
        ecs.answer("ListTasks", {"taskArns": []}, first_page, {"taskArns": [TASK]})
        other = task("STOPPED", taskArn=f"{TASK}0", startedBy="somebody")
        ecs.answer("DescribeTasks", {"tasks": [other, task("STOPPED")]})

        assert commands.find(ENVIRONMENT, TOKEN) == TASK
        stopped = {"cluster": "main", "family": "web-command", "desiredStatus": "STOPPED"}
        assert ecs.asked("ListTasks")[1:] == [stopped, {**stopped, "nextToken": "2"}]

    def test_token_that_nobody_used_finds_nothing(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("ListTasks", {"taskArns": []})

        assert commands.find(ENVIRONMENT, TOKEN) == ""


class TestStatus:
    @pytest.mark.parametrize(
        ("answered", "state", "exit_code"),
        [
            (task("PROVISIONING"), CommandState.STARTING, None),
            (task("PENDING"), CommandState.STARTING, None),
            (task("RUNNING"), CommandState.RUNNING, None),
            (task("DEPROVISIONING", exit_code=3), CommandState.ENDED, 3),
            (task("STOPPED", exit_code=0), CommandState.ENDED, 0),
        ],
    )
    def test_command_has_ended_with_its_program(
        self, commands: EcsCommands, ecs: ScriptedEcs, answered: Any, state: CommandState, exit_code: int | None
    ) -> None:
        ecs.answer("DescribeTasks", {"tasks": [answered]})

        status = commands.status(ENVIRONMENT, TASK)

        assert (status.state, status.exit_code) == (state, exit_code)

    def test_program_that_never_ran_has_the_reason_of_its_container(
        self, commands: EcsCommands, ecs: ScriptedEcs
    ) -> None:
        failed = task("STOPPED", stoppedReason="Task failed to start")
        failed["containers"][1]["reason"] = "CannotPullContainerError: not found"
        ecs.answer("DescribeTasks", {"tasks": [failed]})

        assert commands.status(ENVIRONMENT, TASK).failure == "no exit code: CannotPullContainerError: not found"

    def test_task_that_ecs_has_forgotten_is_gone(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("DescribeTasks", {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]})

        assert commands.status(ENVIRONMENT, TASK).state is CommandState.GONE


class TestStop:
    def test_task_is_stopped_with_the_reason(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("StopTask", {"task": task()})

        commands.stop(ENVIRONMENT, TASK, reason="took too long")

        assert ecs.asked("StopTask") == [{"cluster": "main", "task": TASK, "reason": "took too long"}]

    def test_task_that_is_gone_needs_no_stop(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("StopTask", _missing_task())
        ecs.answer("DescribeTasks", {"tasks": []})

        commands.stop(ENVIRONMENT, TASK, reason="took too long")

    def test_task_that_runs_and_cannot_be_stopped_is_an_error(self, commands: EcsCommands, ecs: ScriptedEcs) -> None:
        ecs.answer("StopTask", _missing_task())

        with pytest.raises(Refused, match="task was not found"):
            commands.stop(ENVIRONMENT, TASK, reason="took too long")


def _missing_task() -> ClientError:
    return error("InvalidParameterException", "The referenced task was not found.")
