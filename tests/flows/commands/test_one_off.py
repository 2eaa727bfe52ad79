"""Commands by hand: in the image that runs, recorded without their arguments, with their own exit code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Cancelled, Interrupted, Refused
from kaizen_tasks.flows.commands.one_off import CommandResult, OneOffCommand, plan_run
from kaizen_tasks.flows.execution import execute_change
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def tools() -> FakeTools:
    """A world in which staging serves v0.2.0, and runs commands in a task definition."""
    tools = FakeTools(settings=settings(defaults={"task": "commands", "subnets": ["subnet-1"]}))
    release(tools)
    return tools.next_command()


def run(
    tools: FakeTools,
    words: Sequence[str] = ("psql", "--password=hush"),
    *,
    stops: bool = True,
    timeout: float = math.inf,
) -> tuple[int | None, list[str]]:
    """Type `inv run`; return the exit code and the output."""
    printed, result = list[str](), CommandResult()
    command = OneOffCommand(
        environment=tools.settings.environments["staging"],
        words=words,
        print_line=printed.append,
        should_stop=lambda: stops,
        timeout=timeout,
    )
    execute_change(plan_run(command, result, tools), tools, confirm=lambda *_: None, command="inv run")
    return result.exit_code, printed


def test_command_runs_in_the_image_that_serves_and_its_exit_code_is_handed_on(tools: FakeTools) -> None:
    tools.commands.exit_codes["psql"] = 42
    tools.commands.outputs["psql"] = ("1 row", "\tindented")
    serving = tools.registry.find_image("staging-web-app", "latest")

    ended = run(tools)

    (command,) = tools.commands.started.values()
    assert ended == (42, ["1 row", "\tindented"])
    assert command.words == ("psql", "--password=hush")
    assert serving is not None
    assert command.image.endswith(f"staging-web-app@{serving.digest}")


def test_ledger_has_who_ran_which_program_and_no_argument(tools: FakeTools) -> None:
    run(tools)

    entry = tools.ledger.all_entries[-1]
    assert (entry.event, entry.command, entry.actor, entry.version) == (Event.RAN, "psql …", "ada@laptop", "v0.2.0")
    assert entry.operation == "task-1"
    assert "hush" not in f"{entry} {tools.reporter.lines}"


def test_same_command_again_is_another_one(tools: FakeTools) -> None:
    run(tools)
    run(tools)

    assert tools.commands.runs == ["staging psql"] * 2


def test_command_is_not_a_deployment(tools: FakeTools) -> None:
    run(tools)
    release(tools.next_command())

    assert [entry.event for entry in tools.ledger.entries("staging")][:1] == [Event.RAN]


def test_ctrl_c_stops_the_command_if_that_is_wanted(tools: FakeTools) -> None:
    interrupt_once(tools)

    with pytest.raises(Cancelled, match=r"psql … was stopped in staging"):
        run(tools)

    assert tools.commands.started["task-1"].status.exit_code == 143


def test_ctrl_c_leaves_the_command_alone_otherwise(tools: FakeTools) -> None:
    interrupt_once(tools)

    with pytest.raises(Cancelled) as cancelled:
        run(tools, stops=False)

    assert cancelled.value.state == "it goes on by itself: task-1"
    assert cancelled.value.hint == "what it prints: inv logs --env staging --follow"
    assert tools.commands.started["task-1"].status.exit_code is None


def test_command_that_takes_too_long_is_stopped(tools: FakeTools) -> None:
    tools.commands.polls = 1_000_000

    with pytest.raises(Interrupted, match="was stopped: not ended within 1m"):
        run(tools, timeout=60)


def test_command_that_never_ran_has_no_exit_code(tools: FakeTools) -> None:
    tools.commands.exit_codes["psql"] = None

    with pytest.raises(Interrupted, match="psql … ended without an exit code: Essential container"):
        run(tools)


def test_dry_run_starts_nothing(tools: FakeTools) -> None:
    tools.dry = True

    assert run(tools) == (None, [])
    assert tools.commands.runs == []
    assert any(line.startswith("would run psql … in staging-web-app@sha256:") for line in tools.reporter.lines)


def test_app_runner_without_a_task_definition_is_refused() -> None:
    tools = FakeTools()
    release(tools)

    with pytest.raises(Refused) as refused:
        run(tools.next_command())

    assert refused.value.message == "staging: App Runner runs no commands"
    assert "environments.staging.task" in refused.value.hint


def test_environment_that_serves_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="nobody knows which release is serving there"):
        run(FakeTools(settings=settings(defaults={"task": "commands", "subnets": ["subnet-1"]})))


def test_image_that_was_deployed_by_hand_has_its_own_labels(tools: FakeTools) -> None:
    tools.ledger.all_entries.clear()

    run(tools)

    assert tools.ledger.all_entries[-1].version == "v0.2.0"


def interrupt_once(tools: FakeTools) -> None:
    """Type Ctrl-C while the command runs."""
    tools.commands.polls = 3
    status = tools.commands.status

    def interrupted_status(*_: object) -> object:
        tools.commands.status = status  # type: ignore[method-assign]
        raise KeyboardInterrupt

    tools.commands.status = interrupted_status  # type: ignore[method-assign,assignment]
