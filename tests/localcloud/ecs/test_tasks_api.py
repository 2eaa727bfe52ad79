"""ECS's tasks by boto3: their commands really run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from botocore.exceptions import ClientError

from tests.localcloud.ecs.samples import NETWORK, fargate
from tests.localcloud.layers import BUNDLE, Pushed, archive, file, folder
from tests.support.local_cloud import ACCOUNT, REGION, Cloud
from tests.support.waiting import wait_for

PROGRAM = b"""
import json, os, signal, sys, time

def end(*_):
    print("bye", flush=True)
    sys.exit(5)

signal.signal(signal.SIGTERM, end)
print(json.dumps({"words": sys.argv[1:], **{name: os.environ.get(name) for name in ("GREETING", "KEY", "PARAMETER")}}))
if "wait" in sys.argv:
    print("waiting", flush=True)
    time.sleep(600)
sys.exit(int(sys.argv[-1]) if sys.argv[-1].isdigit() else 0)
"""


@attrs.frozen(kw_only=True)
class Runner:
    """Runs tasks of one task definition on a local cloud."""

    cloud: Cloud
    family: str

    @property
    def ecs(self) -> Any:
        return self.cloud.client("ecs")

    def run(self, *command: str, **members: Any) -> Any:
        override = {"name": "web", **({"command": [*command]} if command else {})}
        request = {
            "taskDefinition": self.family,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            "overrides": {"containerOverrides": [override]},
            **members,
        }
        (task,) = self.ecs.run_task(**request)["tasks"]
        return task

    def describe(self, task: Any) -> Any:
        (described,) = self.ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"]
        return described

    def outcome(self, task: Any) -> Any:
        """Wait until a task has stopped, and return it."""
        wait_for(lambda: self.describe(task)["lastStatus"] == "STOPPED")
        return self.describe(task)

    def wait_until_running(self, task: Any) -> None:
        wait_for(lambda: "waiting" in self.output(task))

    def output(self, task: Any, stream: str = "") -> list[str]:
        stream = stream or f"ecs/web/{task['taskArn'].rpartition('/')[2]}"
        try:
            events = self.cloud.client("logs").get_log_events(logGroupName=f"/ecs/{self.family}", logStreamName=stream)
        except ClientError:
            return []
        return [event["message"] for event in events["events"]]


def prepared(cloud: Cloud, family: str, **container: Any) -> Runner:
    """Push an image, and register a task definition of it that logs to `/ecs/FAMILY`."""
    images = Pushed(cloud.client("ecr"))
    images.repository(family)
    image = [archive(folder("app"), file("app/main.py", PROGRAM))]
    config = {"Entrypoint": ["python", "/app/main.py"], "Cmd": ["default"], "Labels": BUNDLE}
    digest = images.image(family, image, config=config)
    options = {"awslogs-group": f"/ecs/{family}", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    cloud.client("logs").create_log_group(logGroupName=f"/ecs/{family}")
    web = {
        "name": "web",
        "image": f"{cloud.registry}/{family}@{digest}",
        "environment": [{"name": "GREETING", "value": "hello"}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
        **container,
    }
    cloud.client("ecs").register_task_definition(**fargate(web, family=family))
    return Runner(cloud=cloud, family=family)


@pytest.fixture(scope="module")
def runner(cloud: Cloud) -> Runner:
    return prepared(cloud, "run-task")


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_command_runs_in_the_image_and_its_exit_code_is_told(runner: Runner) -> None:
    started = runner.run("migrate", "3", startedBy="kaizen")
    assert (started["lastStatus"], started["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    assert started["containers"][0]["lastStatus"] == "PENDING"

    task = runner.outcome(started)

    (container,) = task["containers"]
    assert (container["exitCode"], container["lastStatus"]) == (3, "STOPPED")
    assert container["image"].endswith(container["imageDigest"])
    expected = ("EssentialContainerExited", "Essential container in task exited")
    assert (task["stopCode"], task["stoppedReason"]) == expected
    assert (task["group"], task["startedBy"], task["launchType"]) == ("family:run-task", "kaizen", "FARGATE")
    order = (
        "createdAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    )
    assert [task[member] for member in order] == sorted(task[member] for member in order)
    (line,) = runner.output(task)
    assert json.loads(line)["words"] == ["migrate", "3"]


def test_default_command_runs_with_variables_and_secrets(cloud: Cloud) -> None:
    secret = cloud.client("secretsmanager").create_secret(Name="run-task", SecretString='{"key": "s3cret"}')["ARN"]
    cloud.client("ssm").put_parameter(Name="/run-task/one", Value="p4rameter", Type="SecureString")
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/run-task/one"
    references = {"KEY": f"{secret}:key::", "PARAMETER": parameter}
    secrets = [{"name": name, "valueFrom": reference} for name, reference in references.items()]
    runner = prepared(cloud, "with-secrets", secrets=secrets)

    task = runner.outcome(
        runner.run(
            overrides={"containerOverrides": [{"name": "web", "environment": [{"name": "GREETING", "value": "moin"}]}]}
        )
    )

    assert task["containers"][0]["exitCode"] == 0
    (line,) = runner.output(task)
    expected = {"words": ["default"], "GREETING": "moin", "KEY": "s3cret", "PARAMETER": "p4rameter"}
    assert json.loads(line) == expected


def test_stopped_task_ends_by_sigterm_and_keeps_the_reason(runner: Runner) -> None:
    task = runner.run("wait")
    runner.wait_until_running(task)

    stopping = runner.ecs.stop_task(task=task["taskArn"], reason="enough")["task"]
    assert (stopping["desiredStatus"], stopping["stoppedReason"]) == ("STOPPED", "enough")

    stopped = runner.outcome(task)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert stopped["containers"][0]["exitCode"] == 5
    assert runner.output(task)[-1] == "bye"
    assert runner.ecs.stop_task(task=task["taskArn"], reason="again")["task"]["stoppedReason"] == "enough"


def test_what_cannot_start_says_why(cloud: Cloud, runner: Runner) -> None:
    def failure(**container: Any) -> Any:
        web = {"name": "web", "image": f"{cloud.registry}/run-task:absent", **container}
        cloud.client("ecs").register_task_definition(**fargate(web, family="broken"))
        return runner.outcome(runner.run(taskDefinition="broken"))

    missing = failure()
    assert missing["stopCode"] == "TaskFailedToStart"
    assert missing["stoppedReason"].startswith("CannotPullContainerError: ")
    assert missing["containers"][0]["reason"] == missing["stoppedReason"]
    assert "exitCode" not in missing["containers"][0]
    image = runner.ecs.describe_task_definition(taskDefinition="run-task")["taskDefinition"]["containerDefinitions"][0]
    options = {"awslogs-group": "/ecs/absent", "awslogs-region": REGION}
    without_group = failure(image=image["image"], logConfiguration={"logDriver": "awslogs", "options": options})
    assert without_group["stoppedReason"].startswith("ResourceInitializationError: failed to validate logger args")
    without_secret = failure(image=image["image"], secrets=[{"name": "KEY", "valueFrom": "/absent"}])
    expected = "ResourceInitializationError: unable to pull secrets or registry auth: "
    assert without_secret["stoppedReason"].startswith(expected)


def test_container_starts_after_those_that_it_waits_for(runner: Runner) -> None:
    definition = runner.ecs.describe_task_definition(taskDefinition="run-task")["taskDefinition"]
    (web,) = definition["containerDefinitions"]
    init = {**web, "name": "init", "essential": False, "entryPoint": ["python", "-c", "import time; time.sleep(0.3)"]}
    depending = {**web, "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]}
    elsewhere = {"name": "agent", "image": "public.ecr.aws/agent:1", "essential": False}
    containers = {"containerDefinitions": [depending, init, elsewhere]}
    request = {name: definition[name] for name in fargate()} | containers | {"family": "ordered"}
    runner.ecs.register_task_definition(**request)

    task = runner.outcome(runner.run("web", taskDefinition="ordered"))

    assert [container.get("exitCode") for container in task["containers"]] == [0, 0, None]
    assert "the local cloud does not have public.ecr.aws/agent:1" in task["containers"][2]["reason"]
    failing = [{**init, "entryPoint": ["python", "-c", "raise SystemExit(4)"]}, depending]
    runner.ecs.register_task_definition(**request | {"containerDefinitions": failing})
    failed = runner.outcome(runner.run("web", taskDefinition="ordered"))
    assert (failed["stopCode"], failed["stoppedReason"].partition(": ")[2]) == (
        "TaskFailedToStart",
        "Dependency container init exited with code 4.",
    )


def test_task_that_waits_for_a_container_is_stopped(runner: Runner) -> None:
    definition = runner.ecs.describe_task_definition(taskDefinition="run-task")["taskDefinition"]
    (web,) = definition["containerDefinitions"]
    init = {**web, "name": "init", "essential": False, "command": ["wait"]}
    depending = {**web, "dependsOn": [{"containerName": "init", "condition": "COMPLETE"}]}
    request = {name: definition[name] for name in fargate()} | {"containerDefinitions": [depending, init]}
    runner.ecs.register_task_definition(**request | {"family": "waiting"})
    task = runner.run(taskDefinition="waiting")
    stream = f"ecs/init/{task['taskArn'].rpartition('/')[2]}"
    wait_for(lambda: "waiting" in runner.output(task, stream))

    runner.ecs.stop_task(task=task["taskArn"], reason="enough")

    stopped = runner.outcome(task)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    wait_for(lambda: "bye" in runner.output(task, stream))
    assert runner.output(task) == []


def test_lists_by_family_starter_and_desired_status(runner: Runner) -> None:
    task = runner.run("wait", startedBy="lists")
    ended = runner.outcome(runner.run(startedBy="lists"))

    def arns(**request: Any) -> list[str]:
        found: list[str] = runner.ecs.list_tasks(**request)["taskArns"]
        return found

    assert arns(startedBy="lists") == [task["taskArn"]]
    assert arns(startedBy="lists", desiredStatus="STOPPED") == [ended["taskArn"]]
    assert task["taskArn"] in arns(family="run-task")
    assert arns(family="other") == arns(serviceName="other") == arns(startedBy="lists", desiredStatus="PENDING") == []
    runner.ecs.stop_task(task=task["taskArn"])
    runner.outcome(task)


def test_repeated_request_with_a_client_token_starts_nothing(runner: Runner) -> None:
    first = runner.run("default", clientToken="once")

    assert runner.run("default", clientToken="once")["taskArn"] == first["taskArn"]
    with pytest.raises(ClientError) as caught:
        runner.run("other", clientToken="once")
    response: dict[str, Any] = {**caught.value.response}
    assert response["Error"]["Code"] == "ConflictException"
    assert response["resourceIds"] == [first["taskArn"]]
    runner.outcome(first)
    assert len(runner.output(first)) == 1


def test_tags_come_from_the_request_and_the_task_definition(runner: Runner) -> None:
    definition = runner.ecs.describe_task_definition(taskDefinition="run-task")["taskDefinition"]
    request = {name: definition[name] for name in fargate()}
    tags = [{"key": "team", "value": "web"}, {"key": "app", "value": "coach"}]
    runner.ecs.register_task_definition(**{**request, "family": "tagged", "tags": tags})
    own = [{"key": "team", "value": "api"}]

    task = runner.run(
        taskDefinition="tagged", propagateTags="TASK_DEFINITION", enableECSManagedTags=True, tags=own, count=1
    )

    expected = {"team": "api", "app": "coach", "aws:ecs:clusterName": "default"}
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == expected
    runner.outcome(task)
    assert runner.describe(task)["tags"] == []


def test_unknown_tasks(runner: Runner) -> None:
    answer = runner.ecs.describe_tasks(tasks=["absent"])
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/absent"
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
    expected = ("InvalidParameterException", "The referenced task was not found.")
    assert refusal(runner.ecs.stop_task, task="absent") == expected
    assert refusal(runner.ecs.describe_tasks, tasks=[])[0] == "InvalidParameterException"
    elsewhere = refusal(runner.ecs.describe_tasks, tasks=[arn.replace("default", "other")])
    assert elsewhere[0] == "InvalidParameterException"
    assert refusal(runner.ecs.list_tasks, cluster="absent")[0] == "ClusterNotFoundException"


def test_cluster_with_tasks_is_not_deleted(runner: Runner) -> None:
    runner.ecs.create_cluster(clusterName="with-tasks")
    task = runner.run("wait", cluster="with-tasks")

    assert refusal(runner.ecs.delete_cluster, cluster="with-tasks")[0] == "ClusterContainsTasksException"

    (cluster,) = runner.ecs.describe_clusters(clusters=["with-tasks"])["clusters"]
    assert cluster["runningTasksCount"] + cluster["pendingTasksCount"] == 1
    runner.ecs.stop_task(cluster="with-tasks", task=task["taskArn"])
    wait_for(
        lambda: (
            runner.ecs.describe_tasks(cluster="with-tasks", tasks=[task["taskArn"]])["tasks"][0]["lastStatus"]
            == "STOPPED"
        )
    )
    runner.ecs.delete_cluster(cluster="with-tasks")


def test_task_of_a_service_is_stopped_and_replaced(cloud: Cloud, runner: Runner) -> None:
    images = Pushed(cloud.client("ecr"))
    images.repository("of-service")
    digest = images.app("of-service", "v1")
    web = {"name": "web", "image": f"{cloud.registry}/of-service@{digest}", "portMappings": [{"containerPort": 8080}]}
    runner.ecs.register_task_definition(**fargate(web, family="of-service"))
    place = {"cluster": "of-service"}
    runner.ecs.create_cluster(clusterName="of-service")
    runner.ecs.create_service(
        **place,
        serviceName="web",
        taskDefinition="of-service",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )

    def running() -> list[str]:
        tasks = runner.ecs.list_tasks(**place, serviceName="web")["taskArns"]
        described = runner.ecs.describe_tasks(**place, tasks=tasks)["tasks"] if tasks else []
        return [task["taskArn"] for task in described if task["lastStatus"] == "RUNNING"]

    wait_for(lambda: len(running()) == 1)
    assert refusal(runner.ecs.delete_cluster, **place)[0] == "ClusterContainsServicesException"
    (cluster,) = runner.ecs.describe_clusters(clusters=["of-service"])["clusters"]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"]) == (1, 1)
    (first,) = running()
    runner.ecs.stop_task(**place, task=first, reason="by hand")
    wait_for(lambda: len(running()) == 1 and running() != [first])

    assert runner.ecs.list_tasks(**place, serviceName="web", desiredStatus="STOPPED")["taskArns"] == [first]

    def stopped() -> Any:
        (task,) = runner.ecs.describe_tasks(**place, tasks=[first])["tasks"]
        return task

    wait_for(lambda: stopped()["lastStatus"] == "STOPPED")
    assert (stopped()["stopCode"], stopped()["stoppedReason"]) == ("UserInitiated", "by hand")
    assert stopped()["containers"][0]["exitCode"] == 143
    runner.ecs.delete_service(**place, service="web", force=True)


@pytest.mark.integration
def test_tasks_end_with_the_cloud_and_are_known_to_the_next_one(tmp_path: Path) -> None:
    with Cloud(tmp_path / "state") as cloud:
        runner = prepared(cloud, "app")
        task = runner.run("wait", startedBy="before")
        runner.wait_until_running(task)
        cloud.kill()
        cloud.start()
        (known,) = runner.ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"]
        assert (known["lastStatus"], known["stopCode"], known["startedBy"]) == (
            "STOPPED",
            "TerminationNotice",
            "before",
        )
        wait_for(lambda: "bye" in runner.output(task))

        again = runner.run("wait")
        runner.wait_until_running(again)
        cloud.stop()
        cloud.start()
        (known,) = runner.ecs.describe_tasks(tasks=[again["taskArn"]])["tasks"]
        assert (known["stopCode"], known["containers"][0]["exitCode"]) == ("TerminationNotice", 5)
        assert not [*(tmp_path / "state" / "ecs" / "instances").iterdir()]


@pytest.mark.docker
def test_command_runs_in_a_container(tmp_path: Path) -> None:
    """The image is busybox on scratch, pushed to the registry and pulled by the engine."""
    with Cloud(tmp_path / "state", "--engine", "docker") as cloud:
        images = Pushed(cloud.client("ecr"))
        images.repository("shell")
        layer = archive(folder("bin"), file("bin/busybox", Path("/bin/busybox").read_bytes(), 0o755))
        digest = images.image("shell", [layer], config={"Entrypoint": ["/bin/busybox"], "Cmd": ["false"]})
        options = {"awslogs-group": "/ecs/shell", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
        logs = {"logDriver": "awslogs", "options": {**options, "awslogs-create-group": "true"}}
        web = {"name": "web", "image": f"{cloud.registry}/shell@{digest}", "logConfiguration": logs}
        cloud.client("ecs").register_task_definition(**fargate(web, family="shell"))
        own = {**web, "entryPoint": ["/bin/busybox", "echo", "own"], "command": ["entry point"]}
        cloud.client("ecs").register_task_definition(**fargate(own, family="own"))
        runner = Runner(cloud=cloud, family="shell")
        trap = "trap 'echo bye; exit 5' TERM; echo waiting; while :; do /bin/busybox sleep 0.1; done"

        waiting = runner.run("sh", "-c", trap)
        assert runner.outcome(runner.run())["containers"][0]["exitCode"] == 1
        echoed = runner.outcome(runner.run(taskDefinition="own"))
        assert (echoed["containers"][0]["exitCode"], runner.output(echoed)) == (0, ["own entry point"])
        runner.wait_until_running(waiting)
        runner.ecs.stop_task(task=waiting["taskArn"])
        stopped = runner.outcome(waiting)
        assert (stopped["containers"][0]["exitCode"], runner.output(stopped)) == (5, ["waiting", "bye"])
        absent = runner.outcome(runner.run("absent"))
        assert absent["containers"][0]["exitCode"] == 127
