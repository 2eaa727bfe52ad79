"""How a deployment to ECS may end: the right words, the right exit code, and the right entry in the ledger.

One release is deployed to twelve services at a time, each with a fate of its own.
"""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.rehearsal import example
from tests.e2e.conftest import aws_environ
from tests.support.local_cloud import Cloud
from tests.support.waiting import HANG_SECONDS, wait_for
from tests.support.workspaces import EXAMPLE_APP, CommandResult, Workspace, clean_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Ending = Callable[["Team", str], CommandResult]

pytestmark = pytest.mark.e2e

REGIONS = {"throttled": "eu-west-2", "unanswered": "eu-west-3", "expired": "eu-north-1"}
"""Environments whose requests get faults, which are arranged for a region."""

PLAIN = ("crash", "alarm", "endless")
"""Environments on plain ECS; all others are in Express Mode."""

TIMEOUTS = {"endless": "20s"}

MISBEHAVIOUR = """\
import os
import sys
import time

if os.environ["ENVIRONMENT"] in {"crash", "endless"}:
    sys.exit("no database")
if os.environ["ENVIRONMENT"] == "unhealthy":
    import http.server

    class Sick(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(500)

    print("no database either", flush=True)
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Sick).serve_forever()
if os.environ["ENVIRONMENT"] in {"superseded", "stopped", "deleted", "expired", "killed"}:
    while not os.path.exists(os.path.join(GATES, os.environ["ENVIRONMENT"])):
        time.sleep(0.05)

"""


class Team:
    """An app with an environment for each ending.

    Args:
        workspace: the app's clone and its cloud.
        cloud: the cloud.
        gates: the folder with a file for each environment whose app need not wait any longer before it listens.
    """

    def __init__(self, workspace: Workspace, cloud: Cloud, gates: Path) -> None:
        self.workspace = workspace
        self.cloud = cloud
        self.gates = gates

    def deploy(self, name: str) -> CommandResult:
        """Deploy the release."""
        return self.workspace.inv("deploy", "--env", name, INVOKE_DEPLOY_TIMEOUT=TIMEOUTS.get(name, "10m"))

    def deploy_while(self, name: str, meddle: Callable[[Mapping[str, Any]], object]) -> CommandResult:
        """Deploy the release, and do something when its deployment has begun and cannot end."""
        with ThreadPoolExecutor() as pool:
            result = pool.submit(self.deploy, name)
            try:
                wait_for(lambda: self.is_deploying(name) or result.done())
                meddle(self.deployments(name)[0])
            finally:
                self.open_gate(name)
            return result.result()

    def open_gate(self, name: str) -> None:
        """Let the app of an environment listen."""
        (self.gates / name).touch()

    def is_deploying(self, name: str) -> bool:
        """Return whether a deployment of a service is in progress."""
        return any(each["status"] == "IN_PROGRESS" for each in self.deployments(name))

    def deployments(self, name: str) -> list[Mapping[str, Any]]:
        """Return the deployments of a service, newest first."""
        listed: list[Mapping[str, Any]] = self.ecs(name).list_service_deployments(service=service(name))[
            "serviceDeployments"
        ]
        return listed

    def ecs(self, name: str) -> Any:
        """Return a client of ECS in the region of an environment."""
        return self.cloud.client("ecs", region=REGIONS.get(name, "eu-west-1"))

    def events(self, name: str) -> list[str]:
        """Return what the ledger says of the release in an environment, oldest first."""
        history = self.workspace.inv("history", "--env", name, "--json").expect_success().document
        return [entry["event"] for entry in reversed(history) if entry["version"] == "v0.2.0"]


def service(name: str) -> str:
    return f"{name}-endings-service"


def superseded(team: Team, name: str) -> CommandResult:
    arn = f"arn:aws:ecs:eu-west-1:123456789012:service/default/{service(name)}"

    def update(_: object) -> None:
        active = team.ecs(name).describe_express_gateway_service(serviceArn=arn)["service"]["activeConfigurations"]
        container = min(active, key=lambda each: each["createdAt"])["primaryContainer"]
        environment = [*container["environment"], {"name": "BY_HAND", "value": "yes"}]
        changed = {**container, "environment": environment}
        team.ecs(name).update_express_gateway_service(serviceArn=arn, primaryContainer=changed)

    return team.deploy_while(name, update)


def stopped(team: Team, name: str) -> CommandResult:
    def stop(deployment: Mapping[str, Any]) -> None:
        arn = deployment["serviceDeploymentArn"]
        team.ecs(name).stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")

    return team.deploy_while(name, stop)


def deleted(team: Team, name: str) -> CommandResult:
    arn = f"arn:aws:ecs:eu-west-1:123456789012:service/default/{service(name)}"
    return team.deploy_while(name, lambda _: team.ecs(name).delete_express_gateway_service(serviceArn=arn))


def alarm(team: Team, name: str) -> CommandResult:
    cloudwatch = team.cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        MetricName="5xx",
        Namespace="Coach",
        Period=60,
        Threshold=1.0,
        Statistic="Sum",
    )
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    team.ecs(name).update_service(service=service(name), deploymentConfiguration={"alarms": alarms})
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="it is on fire")
    return team.deploy(name)


def throttled(team: Team, name: str) -> CommandResult:
    effect = {"error": {"code": "ThrottlingException", "status": 400}}
    for operation in ("DescribeExpressGatewayService", "UpdateExpressGatewayService", "ListServiceDeployments"):
        team.cloud.inject_fault({"service": "ecs", "operation": operation, "region": REGIONS[name]}, effect, times=2)
    return team.deploy(name)


def unanswered(team: Team, name: str) -> CommandResult:
    match = {"service": "ecs", "operation": "UpdateExpressGatewayService", "region": REGIONS[name]}
    team.cloud.inject_fault(match, {"late": True, "reset": True})
    return team.deploy(name)


def expired(team: Team, name: str) -> CommandResult:
    effect = {"error": {"code": "ExpiredTokenException", "status": 400}}
    match = {"service": "ecs", "operation": "ListServiceDeployments", "region": REGIONS[name]}
    return team.deploy_while(name, lambda _: team.cloud.inject_fault(match, effect, times=50))


def endless(team: Team, name: str) -> CommandResult:
    breaker = {"enable": False, "rollback": False}
    team.ecs(name).update_service(service=service(name), deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    return team.deploy(name)


def killed(team: Team, name: str) -> CommandResult:
    run = team.workspace.start("deploy", "--env", name)
    wait_for(lambda: team.is_deploying(name) or run.poll() is not None)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    team.open_gate(name)
    assert run.returncode == -signal.SIGKILL
    deadline = time.monotonic() + HANG_SECONDS
    while (result := team.deploy(name)).code == 4 and time.monotonic() < deadline:  # its lock ends within a minute
        time.sleep(1)
    return result


ENDINGS: Mapping[str, Ending] = {
    "success": Team.deploy,
    "unhealthy": Team.deploy,
    "crash": Team.deploy,
    "alarm": alarm,
    "superseded": superseded,
    "stopped": stopped,
    "deleted": deleted,
    "throttled": throttled,
    "unanswered": unanswered,
    "endless": endless,
    "expired": expired,
    "killed": killed,
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """An app whose twelve services run v0.1.7, and which has built v0.2.0."""
    folder = tmp_path_factory.mktemp("endings")
    with Cloud(folder / "cloud") as cloud:
        clone, remote = example.create_example_repo(folder, EXAMPLE_APP)
        environ = {**clean_environ(folder), **aws_environ(cloud)}
        workspace = Workspace(clone=clone, remote=remote, state=cloud.state, environ=environ, app="endings")
        workspace.commit("kaizen.toml", _configuration(), "Another name")
        workspace.inv("local.up", "--state", str(cloud.state)).expect_success()
        program = (clone / "coach/__main__.py").read_text()
        gates = tmp_path_factory.mktemp("gates")
        misbehaviour = f"GATES = {str(gates)!r}\n{MISBEHAVIOUR}"
        workspace.commit("coach/__main__.py", misbehaviour + program, "Misbehave")
        workspace.add_changelog_entry("A database")
        workspace.inv("bump", "changelog", "commit", "build", "push", "--env", "all").expect_success()
        yield Team(workspace, cloud, gates)


def _configuration() -> str:
    tables = ""
    for name in ENDINGS:
        platform = "ecs" if name in PLAIN else "ecs-express"
        region = f'region = "{REGIONS[name]}"\n' if name in REGIONS else ""
        tables += f'[environments.{name}]\nplatform = "{platform}"\nurl = "http://127.0.0.1"\n{region}'
    return f"""\
app = "endings"
pipeline = ["all"]
groups.all = {list(ENDINGS)}
[aws]
region = "eu-west-1"
account = "123456789012"
[build]
engine = "bundle"
command = ["python", "-m", "coach"]
[defaults]
repository = "{{app}}"
{tables}
"""


@pytest.fixture(scope="module")
def results(team: Team) -> Mapping[str, CommandResult]:
    """What each deployment said in the end."""
    with ThreadPoolExecutor(len(ENDINGS)) as pool:
        runs = {name: pool.submit(ending, team, name) for name, ending in ENDINGS.items()}
        return {name: run.result() for name, run in runs.items()}


@pytest.mark.parametrize(
    ("name", "code", "words", "events"),
    [
        ("success", 0, "", ["started", "deployed"]),
        ("unhealthy", 7, "circuit breaker", ["started", "failed"]),
        ("crash", 7, "circuit breaker", ["started", "failed"]),
        ("alarm", 7, "alarms: errors", ["started", "failed"]),
        ("superseded", 8, "superseded", ["started", "abandoned"]),
        ("stopped", 7, "stopped", ["started", "failed"]),
        ("deleted", 7, "deleted", ["started", "abandoned"]),
        ("throttled", 0, "", ["started", "deployed"]),
        ("unanswered", 0, "", ["started", "deployed"]),
        ("endless", 7, "has not ended in", ["started", "failed"]),
        ("expired", 130, "expired", ["started"]),
        ("killed", 0, "", ["started", "deployed"]),
    ],
)
def test_ending(
    team: Team, results: Mapping[str, CommandResult], name: str, code: int, words: str, events: list[str]
) -> None:
    result = results[name]

    assert (result.code, words in result.err, team.events(name)) == (code, True, events), result.err
    assert len(result.err.splitlines()) <= 3
    assert "Traceback" not in result.err
