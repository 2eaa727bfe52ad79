"""The logs of deployments and of tasks."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.adapters.aws.ecs.logs import EcsLogs
from kaizen_tasks.adapters.aws.ecs.tasks import describe_end
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import Unsupported
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.answers import at, deployment, revision_arn
from tests.adapters.aws.ecs.scripted_ecs import ACCOUNT, REGION, ScriptedAws, cluster, error

WEB = Service(
    name="web", id=answers.service_arn(), status=ServiceStatus.RUNNING, native_status="ACTIVE", url="", image="web"
)


def task(name: str, created: float, **members: Any) -> dict[str, Any]:
    return {
        "taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/{name}",
        "taskDefinitionArn": answers.definition_arn(1),
        "createdAt": at(created),
        "lastStatus": "RUNNING",
        **members,
    }


CRASHED: dict[str, Any] = {
    "lastStatus": "STOPPED",
    "stoppedAt": at(240),
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "containers": [{"name": "web", "exitCode": 1}, {"name": "proxy", "exitCode": 0}],
}
REPLACED = {
    "lastStatus": "STOPPED",
    "stopCode": "ServiceSchedulerInitiated",
    "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)",
}


@pytest.fixture
def aws() -> ScriptedAws:
    aws = ScriptedAws()
    aws.client.answer(
        "ListServiceDeployments", answers.deployments(deployment(2, "ROLLBACK_SUCCESSFUL"), deployment(1))
    )
    aws.client.answer("DescribeServices", answers.services(answers.service()))
    aws.client.answer("DescribeTaskDefinition", answers.definition())
    aws.client.answer("ListTasks", {"taskArns": []})
    return aws


@pytest.fixture
def logs(aws: ScriptedAws) -> EcsLogs:
    return EcsLogs(cluster(aws), container="")


def show(aws: ScriptedAws, *tasks: dict[str, Any]) -> None:
    aws.client.answer("ListTasks", {"taskArns": [each["taskArn"] for each in tasks]}, {"taskArns": []})
    aws.client.answer("DescribeTasks", {"tasks": list(tasks)})


class TestDeployment:
    def test_shows_events_and_ends_of_tasks_since_it_began(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        events = [
            {"createdAt": at(250), "message": "(service web) deployment failed: tasks failed to start."},
            {"createdAt": at(210), "message": "(service web) has started 1 tasks."},
            {"createdAt": at(150), "message": "(service web) has reached a steady state."},
        ]
        aws.client.answer("DescribeServices", answers.services(answers.service(events=events)))
        show(aws, task("1a2b3c4d5e", 220, **CRASHED), task("old", 120, **CRASHED), task("moved", 230, **REPLACED))

        assert logs.deployment_tail(WEB, revision_arn(2), limit=10) == (
            "(service web) has started 1 tasks.",
            (
                "task 1a2b3c4d stopped (EssentialContainerExited): Essential container in task exited;"
                " web exited with 1; proxy exited with 0"
            ),
            "(service web) deployment failed: tasks failed to start.",
        )

    def test_shows_events_if_tasks_must_not_be_read(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        events = [{"createdAt": at(210), "message": "(service web) has started 1 tasks."}]
        aws.client.answer("DescribeServices", answers.services(answers.service(events=events)))
        aws.client.answer("ListTasks", error("AccessDeniedException", "not authorised"))

        first, second = logs.deployment_tail(WEB, revision_arn(2), limit=10)

        assert first == "(service web) has started 1 tasks."
        assert second.startswith("why tasks stopped cannot be read: cannot list the tasks of web: AccessDenied")

    def test_shows_the_last_lines(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        events = [{"createdAt": at(200 + number), "message": f"event {number}"} for number in range(5)]
        aws.client.answer("DescribeServices", answers.services(answers.service(events=events)))

        assert logs.deployment_tail(WEB, revision_arn(2), limit=2) == ("event 3", "event 4")

    def test_is_empty_for_an_unknown_deployment(self, logs: EcsLogs) -> None:
        assert logs.deployment_tail(WEB, revision_arn(7), limit=2) == ()

    def test_is_empty_for_a_service_that_is_gone(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        aws.client.answer("ListServiceDeployments", error("ServiceNotFoundException"))

        assert logs.deployment_tail(WEB, revision_arn(2), limit=2) == ()


class TestEndOfATask:
    @pytest.mark.parametrize(
        ("members", "text"),
        [
            (
                {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: not found."},
                "task 1a2b stopped (TaskFailedToStart): CannotPullContainerError: not found",
            ),
            (
                {
                    "stoppedReason": "killed",
                    "containers": [{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"}],
                },
                "task 1a2b stopped: killed; web exited with 137: OutOfMemoryError",
            ),
            (
                {
                    "stopCode": "TaskFailedToStart",
                    "containers": [{"name": "web", "reason": "no image"}, {"name": "log"}],
                },
                "task 1a2b stopped: TaskFailedToStart; web: no image",
            ),
        ],
    )
    def test_names_code_reason_and_exit_codes(self, members: dict[str, Any], text: str) -> None:
        assert describe_end(task("1a2b", 0, **members)) == text


class TestApplication:
    def test_shows_what_the_newest_task_printed(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        show(aws, task("old", 210), task("new", 220))
        aws.log_client.streams = {("/ecs/web", "ecs/web/old"): ["old"], ("/ecs/web", "ecs/web/new"): ["1", "2", "3"]}

        assert logs.application_tail(WEB, since=at(200), limit=2) == ("2", "3")

    def test_shows_a_task_that_failed_before_those_that_run(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        show(aws, task("failed", 210, **CRASHED), task("running", 220), task("replaced", 230, **REPLACED))
        aws.log_client.streams = {("/ecs/web", f"ecs/web/{name}"): [name] for name in ("failed", "running", "replaced")}

        assert logs.application_tail(WEB, since=at(200), limit=2) == ("failed",)

    def test_goes_on_to_a_task_that_has_printed_something(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        show(aws, task("old", 210), task("new", 220))
        aws.log_client.streams = {("/ecs/web", "ecs/web/old"): ["old"]}

        assert logs.application_tail(WEB, since=at(200), limit=2) == ("old",)

    def test_ignores_tasks_of_another_time(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        show(aws, task("old", 100))
        aws.log_client.streams = {("/ecs/web", "ecs/web/old"): ["old"]}

        assert logs.application_tail(WEB, since=at(200), limit=2) == ()

    def test_is_empty_for_a_service_that_is_gone(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        aws.client.answer("ListTasks", error("ServiceNotFoundException"))

        assert logs.application_tail(WEB, since=at(200), limit=2) == ()

    def test_says_if_the_container_logs_elsewhere(self, aws: ScriptedAws, logs: EcsLogs) -> None:
        show(aws, task("new", 220))
        splunk = answers.container(logConfiguration={"logDriver": "splunk"})
        aws.client.answer("DescribeTaskDefinition", answers.definition(splunk))

        with pytest.raises(Unsupported, match="logs with splunk"):
            logs.application_tail(WEB, since=at(200), limit=2)
