"""A person says how a command ended of which nobody else knows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.commands.resolve import plan_resolution
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.steps import BeforeDeploy
from tests.fakes.tools import FakeTools, settings

MIGRATE: Mapping[str, object] = {"name": "migrate", "command": ["migrate"]}
RELEASE = Release(version=parse_version_file(b"0.2.0"), commit="c" * 40, digest="sha256:" + "2" * 64)


@pytest.fixture
def tools() -> FakeTools:
    """Tools with a command that was started, and whose run was killed."""
    tools = FakeTools(
        settings=settings(defaults={"task": "commands", "subnets": ["subnet-1"]}, before_deploy=[MIGRATE])
    )
    tools.commands.failures["status"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    del tools.commands.failures["status"]
    return tools


def run(tools: FakeTools) -> None:
    BeforeDeploy(environment=tools.settings.environments["staging"]).act(RELEASE, tools)


def resolve(tools: FakeTools, outcome: str, *, name: str = "migrate", release: str = "") -> str:
    """Type `inv command.resolve`, and return its last line."""
    staging = tools.settings.environments["staging"]
    change = plan_resolution(staging, name, outcome, reason="looked", release_name=release, tools=tools)
    execute_change(change, tools, confirm=lambda *_: None, command="inv command.resolve")
    return tools.reporter.summaries[-1][0]


def test_command_that_has_succeeded_does_not_run_again(tools: FakeTools) -> None:
    tools.commands.forgotten.add("task-1")

    said = resolve(tools, "succeeded")
    run(tools)

    assert said == "migrate of v0.2.0 has succeeded in staging, so it does not run again"
    assert tools.commands.runs == ["staging migrate"]
    assert tools.ledger.all_entries[-1].reason == "looked"


def test_command_that_has_failed_runs_again(tools: FakeTools) -> None:
    tools.commands.forgotten.add("task-1")

    resolve(tools, "failed", release="v0.2.0")
    run(tools)

    assert tools.commands.runs == ["staging migrate"] * 2


def test_command_that_succeeded_can_be_made_to_run_again(tools: FakeTools) -> None:
    run(tools)

    resolve(tools, "failed")
    run(tools)

    assert tools.commands.runs == ["staging migrate"] * 2


def test_nobody_decides_about_a_task_that_still_exists(tools: FakeTools) -> None:
    with pytest.raises(Refused) as refused:
        resolve(tools, "succeeded")

    assert refused.value.message.startswith("staging: the task of migrate is not lost, it is running: task-1, started")


def test_command_that_was_never_started_is_refused_with_those_that_were(tools: FakeTools) -> None:
    with pytest.raises(Refused) as refused:
        resolve(tools, "failed", name="seed")

    assert (refused.value.message, refused.value.hint) == (
        "staging: the command seed was never started there",
        "commands that were: migrate",
    )


def test_dry_run_records_nothing(tools: FakeTools) -> None:
    tools.commands.forgotten.add("task-1")
    tools.dry = True
    staging = tools.settings.environments["staging"]
    change = plan_resolution(staging, "migrate", "failed", reason="looked", release_name="", tools=tools)

    execute_change(change, tools, confirm=lambda *_: None, command="inv command.resolve")

    assert tools.ledger.all_entries[-1].event is Event.COMMAND_STARTED
