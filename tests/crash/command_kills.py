"""Kills releases that run a command before their deployment, twice each: the command runs exactly once."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from tests.crash import rollout_kills
from tests.crash.cloud_fork_server import CloudForkServer
from tests.crash.outcomes import Outcome, collect_outcome
from tests.crash.release_kills import NOT_REACHED, KillPoint
from tests.crash.rollout_cases import RolloutCase
from tests.crash.sandbox import TeamSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAMILY, LOG_GROUP = "web-commands", "/ecs/web-commands"
CONFIGURATION = f"""
[[before_deploy]]
name = "migrate"
command = ["python", "-S", "-c", "import time; print('migrating', flush=True); time.sleep(0.2); print('migrated')"]
environments = ["staging"]

[defaults]
task = "{FAMILY}"
subnets = ["subnet-1"]
"""
EXPECTED_LINES = ["migrating", "migrated"]
EXPECTED_EVENTS = ["command-started", "command-succeeded"]
RUN_TASK = "ecs RunTask"


@frozen(kw_only=True)
class CommandCases:
    """A release with a command, recorded without a kill.

    Attributes:
        fork_server: starts the clouds.
        case: the release.
        moment: the state before it.
        outcome: the state after it.
        points: all kill points.
    """

    fork_server: CloudForkServer
    case: RolloutCase
    moment: TeamSandbox
    outcome: Outcome
    points: tuple[KillPoint, ...]

    @property
    def points_of_the_command(self) -> tuple[KillPoint, ...]:
        """The kill points from the first request about the command to the last."""
        numbers = [point.number for point in self.points if point.of == "request" and point.label.startswith("ecs ")]
        first, last = min(numbers), max(numbers)
        return tuple(point for point in self.points if point.of == "request" and first - 1 <= point.number <= last + 2)

    def kill_twice_and_rerun(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Kill the release at a point, then its second run at some request, and run it again; return what is wrong."""
        copy = self.moment.copy_to(folder).start_cloud(self.fork_server)
        try:
            if not rollout_kills.kill(self.case, copy, point):
                return (NOT_REACHED,)
            second = random.Random(str(point)).choice(self.points_of_the_command)  # the same in every campaign
            copy.inject_fault({"park": True, "late": second.phase == "after"}, skip=second.number - 1)
            killed = rollout_kills.kill_at_breakpoint(copy.library.start(*self.case.words), copy)
            if killed.code not in {0, -signal.SIGKILL}:
                return (f"the second run exits {killed.code}: {killed.err.strip()}\n{killed.out}",)
            return tuple(self._check_rerun(copy))
        finally:
            copy.destroy()

    def _check_rerun(self, copy: TeamSandbox) -> Iterator[str]:
        rerun = copy.library.inv(*self.case.words)
        if rerun.code:
            yield f"run again, it exits {rerun.code}: {rerun.err.strip()}\n{rerun.out}"
        tasks = _tasks(copy)
        if [task["containers"][0].get("exitCode") for task in tasks] != [0]:
            yield f"the command was started {len(tasks)} times: {tasks}"
        if (lines := _printed(copy)) != EXPECTED_LINES:
            yield f"the command printed {lines}"
        if (events := _recorded(copy)) != EXPECTED_EVENTS:
            yield f"the ledger has {events}"
        yield from self.outcome.differences(collect_outcome(copy))


def prepare(moment: TeamSandbox, folder: Path, fork_server: CloudForkServer) -> CommandCases:
    """Give the app of a sandbox a command, and release it once without a kill.

    Args:
        moment: the state before a release to staging.
        folder: a new folder to work in.
        fork_server: starts the clouds.
    """
    sandbox = moment.copy_to(folder / "moment").start_cloud(fork_server)
    _configure(sandbox)
    assert sandbox.cloud is not None
    clouds.stop_cloud(sandbox.cloud)
    moment = evolve(sandbox, cloud=None)
    case = RolloutCase(name="release-staging with a command", words=("release-staging",), prepare=_configure)
    outcome, points = rollout_kills.record(case, moment, folder / "unharmed", fork_server)
    return CommandCases(fork_server=fork_server, case=case, moment=moment, outcome=outcome, points=points)


def _configure(sandbox: TeamSandbox) -> None:
    """Add the command to the app's configuration, and the definition of its task to the account."""
    configuration = sandbox.library.path / "kaizen.toml"
    configuration.write_text(configuration.read_text(encoding="utf-8") + CONFIGURATION, encoding="utf-8")
    sandbox.repository.git("commit", "--quiet", "--all", "--message", "Migrate before deployments")
    options = {"awslogs-group": LOG_GROUP, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}
    container = {
        "name": "web",
        "image": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:{'0' * 64}",
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    sandbox.call_aws("logs", "CreateLogGroup", logGroupName=LOG_GROUP)
    sandbox.call_aws(
        "ecs",
        "RegisterTaskDefinition",
        family=FAMILY,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/execution",
        containerDefinitions=[container],
    )


def _tasks(copy: TeamSandbox) -> list[dict[str, Any]]:
    """Return all tasks that were started in the cloud."""
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in copy.call_aws("ecs", "ListTasks", desiredStatus=status)["taskArns"]
    ]
    tasks: list[dict[str, Any]] = copy.call_aws("ecs", "DescribeTasks", tasks=arns)["tasks"] if arns else []
    return tasks


def _printed(copy: TeamSandbox) -> list[str]:
    events = copy.call_aws("logs", "FilterLogEvents", logGroupName=LOG_GROUP)["events"]
    return [event["message"] for event in events]


def _recorded(copy: TeamSandbox) -> list[str]:
    items = copy.call_aws("dynamodb", "Scan", TableName="kaizen-web")["Items"]
    return [item["event"]["S"] for item in items if item.get("command", {}).get("S") == "migrate"]
