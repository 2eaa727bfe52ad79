"""Commands before a deployment: once for each environment and release, whatever becomes of the runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.errors import Denied, DeployFailed, NotFound, Refused, Unreachable
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.steps import BeforeDeploy
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment

MIGRATE: Mapping[str, object] = {"name": "migrate", "command": ["python", "manage.py", "migrate"], "timeout": "10m"}
WARM: Mapping[str, object] = {"name": "warm", "command": ["warm"]}
RELEASE = Release(version=parse_version_file(b"0.2.0"), commit="c" * 40, digest="sha256:" + "2" * 64)


@pytest.fixture
def tools() -> FakeTools:
    """Tools with two commands in every environment, all of which are on App Runner with a task definition."""
    return make_tools(MIGRATE, WARM)


def make_tools(*rules: Mapping[str, object]) -> FakeTools:
    return FakeTools(
        settings=settings(defaults={"task": "web-commands", "subnets": ["subnet-1"]}, before_deploy=list(rules))
    )


def staging(tools: FakeTools) -> Environment:
    return tools.settings.environments["staging"]


def run(tools: FakeTools, release: Release = RELEASE) -> Release:
    """Decide and act as a flow does, and check that it is done."""
    step = BeforeDeploy(environment=staging(tools))
    decision = step.decide(release, tools)
    if isinstance(decision, Done):
        return decision.release
    assert isinstance(decision, Act), decision
    after = step.act(release, tools)
    assert isinstance(step.decide(after, tools), Done)
    return after


def would(tools: FakeTools, release: Release = RELEASE) -> str:
    """Return what the step would do."""
    decision = BeforeDeploy(environment=staging(tools)).decide(release, tools)
    assert isinstance(decision, Act), decision
    return decision.description


def fails(tools: FakeTools) -> DeployFailed:
    with pytest.raises(DeployFailed) as failed:
        run(tools)
    return failed.value


def told(tools: FakeTools) -> list[str]:
    """Return the ledger, oldest first: event and command."""
    return [f"{entry.event} {entry.command}" for entry in tools.ledger.all_entries]


def test_commands_run_in_order_in_the_image_of_the_release(tools: FakeTools) -> None:
    run(tools)

    images = {command.image for command in tools.commands.started.values()}
    assert tools.commands.runs == ["staging python", "staging warm"]
    assert images == {f"{tools.registry.repository_uri('staging-web-app')}@{RELEASE.digest}"}
    assert told(tools) == [
        "command-started migrate",
        "command-succeeded migrate",
        "command-started warm",
        "command-succeeded warm",
    ]
    assert [entry.operation for entry in tools.ledger.all_entries] == ["task-1", "task-1", "task-2", "task-2"]


def test_output_is_shown_while_the_command_runs(tools: FakeTools) -> None:
    tools.commands.outputs["python"] = ("Applying 0001… OK", "\x1b[31mred\x1b[0m")

    run(tools)

    assert [line for line in tools.reporter.lines if "|" in line] == [
        "  staging | Applying 0001… OK",
        "  staging | red",
    ]


def test_plan_names_the_commands_before_there_is_an_image(tools: FakeTools) -> None:
    plan = would(tools, evolve(RELEASE, digest=""))

    assert plan == "run migrate (python manage.py migrate), warm (warm)"
    assert tools.commands.runs == []


def test_second_run_of_the_same_release_runs_nothing(tools: FakeTools) -> None:
    run(tools)
    run(tools)

    assert tools.commands.runs == ["staging python", "staging warm"]


def test_other_image_runs_the_commands_again(tools: FakeTools) -> None:
    run(tools)
    run(tools, evolve(RELEASE, digest="sha256:" + "3" * 64))

    assert tools.commands.runs == ["staging python", "staging warm"] * 2


def test_failed_command_ends_the_release_and_the_next_run_begins_with_it(tools: FakeTools) -> None:
    tools.commands.exit_codes["python"] = 3
    tools.commands.outputs["python"] = ("relation already exists",)

    error = fails(tools)
    tools.commands.exit_codes["python"] = 0
    plan = would(tools)
    run(tools)

    assert error.message == "staging: migrate failed: exit code 3; its output ends with: relation already exists"
    assert error.state == "nothing was deployed: what was serving still serves"
    assert plan == "run migrate (python manage.py migrate) again: exit code 3; run warm (warm)"
    assert tools.commands.runs == ["staging python", "staging python", "staging warm"]


def test_command_whose_program_never_ran_has_failed_with_the_reason(tools: FakeTools) -> None:
    tools.commands.exit_codes["python"] = None

    assert "migrate failed: no exit code: Essential container" in fails(tools).message


def test_command_that_is_not_accepted_has_failed(tools: FakeTools) -> None:
    tools.commands.failures["start"] = NotFound("there is no cluster web", hint="create it")

    error = fails(tools)

    assert (error.message, error.hint) == (
        "staging: migrate failed: it could not be started: there is no cluster web",
        "create it",
    )
    assert told(tools) == ["command-started migrate", "command-failed migrate"]


def test_run_that_was_killed_before_it_saw_the_answer_finds_its_task(tools: FakeTools) -> None:
    tools.commands.lost_answers = 1
    with pytest.raises(KeyboardInterrupt):
        run(tools)

    run(tools)

    assert tools.commands.runs == ["staging python", "staging warm"]
    assert tools.ledger.all_entries[0].operation == "task-1"


def test_run_that_was_killed_before_it_asked_asks_once(tools: FakeTools) -> None:
    tools.commands.failures["start"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    del tools.commands.failures["start"]

    run(tools)

    assert tools.commands.runs == ["staging python", "staging warm"]


def test_run_that_was_killed_while_it_waited_follows_its_task(tools: FakeTools) -> None:
    tools.commands.failures["status"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    del tools.commands.failures["status"]
    plan = would(tools)

    run(tools)

    assert plan == "follow migrate (python manage.py migrate), which ada@laptop started; run warm (warm)"
    assert tools.commands.runs == ["staging python", "staging warm"]


def test_start_whose_outcome_is_unknown_is_asked_again_with_the_same_token(tools: FakeTools) -> None:
    tools.commands.failures["start"] = Unreachable("no answer")
    with pytest.raises(Unreachable):
        run(tools)
    del tools.commands.failures["start"]

    run(tools)

    assert told(tools).count("command-started migrate") == 1


def test_task_that_is_gone_is_not_run_again_unasked(tools: FakeTools) -> None:
    tools.commands.failures["status"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    del tools.commands.failures["status"]
    tools.commands.forgotten.add("task-1")
    tools.clock.advance(2 * 3600)

    with pytest.raises(Refused) as refused:
        run(tools)

    assert refused.value.message == (
        "staging: nobody knows how migrate of v0.2.0 ended: ada@laptop started it 2h ago, and its task is gone"
    )
    assert "inv command.resolve --env staging --name migrate --outcome succeeded" in refused.value.hint
    assert tools.commands.runs == ["staging python"]


def test_attempt_without_a_task_is_lost_once_the_platform_may_have_forgotten_it(tools: FakeTools) -> None:
    tools.commands.lost_answers = 1
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    tools.commands.forgotten.add("task-1")
    tools.clock.advance(31 * 60)

    with pytest.raises(Refused, match="nobody knows how migrate"):
        run(tools)

    assert tools.commands.runs == ["staging python"]


def test_task_that_is_not_listed_yet_is_waited_for(tools: FakeTools) -> None:
    """The answers of ECS are eventually consistent."""
    tools.commands.forgotten.add("task-1")
    sleep = tools.clock.sleep

    def sleep_and_list(seconds: float) -> None:
        sleep(seconds)
        tools.commands.forgotten.clear()

    tools.clock.sleep = sleep_and_list  # type: ignore[method-assign]

    run(tools)

    assert tools.commands.runs == ["staging python", "staging warm"]


def test_command_that_takes_too_long_is_stopped(tools: FakeTools) -> None:
    tools.commands.polls = 1_000_000
    started = tools.clock.monotonic()

    error = fails(tools)

    assert error.message == "staging: migrate failed: it was stopped, as it had not ended within 10m"
    assert 600 <= tools.clock.monotonic() - started < 620
    assert told(tools)[-1] == "command-failed migrate"


def test_command_that_does_not_stop_is_followed_by_the_next_run(tools: FakeTools) -> None:
    tools.commands.polls = 1_000_000
    tools.commands.stop = lambda *_, **__: None  # type: ignore[method-assign]

    error = fails(tools)
    tools.commands.end("task-1", 0)
    tools.commands.polls = 1
    run(tools)

    assert "nor does it stop" in error.message
    assert tools.commands.runs == ["staging python", "staging warm"]


def test_time_that_an_earlier_run_has_waited_counts(tools: FakeTools) -> None:
    tools.commands.polls = 1_000_000
    tools.commands.failures["status"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tools)
    del tools.commands.failures["status"]
    tools.clock.advance(599)
    resumed = tools.clock.monotonic()

    fails(tools)

    assert tools.clock.monotonic() - resumed < 20


def test_log_that_cannot_be_read_does_not_end_the_command(tools: FakeTools) -> None:
    tools.commands.failures["output"] = Denied("logs:GetLogEvents is denied")

    run(tools)

    notes = [line for line in tools.reporter.lines if "cannot be read" in line]
    assert notes == ["  staging: the output cannot be read: logs:GetLogEvents is denied"] * 2
    assert tools.commands.runs == ["staging python", "staging warm"]


def test_platform_that_is_out_of_reach_for_long_ends_the_run_and_not_the_command(tools: FakeTools) -> None:
    tools.commands.failures["status"] = Unreachable("no route")

    with pytest.raises(Unreachable):
        run(tools)
    del tools.commands.failures["status"]
    run(tools)

    assert tools.commands.runs == ["staging python", "staging warm"]


def test_environment_without_commands_has_nothing_to_do() -> None:
    tools = make_tools()

    assert BeforeDeploy(environment=staging(tools)).decide(RELEASE, tools) == Done(
        "there is no command to run", RELEASE
    )


def test_older_release_does_not_go_behind_an_irreversible_command() -> None:
    tools = make_tools({**MIGRATE, "reversible": False})
    older = evolve(RELEASE, version=parse_version_file(b"0.1.0"), digest="sha256:" + "1" * 64)
    run(tools)

    decision = BeforeDeploy(environment=staging(tools)).decide(older, tools)

    assert isinstance(decision, Refuse)
    assert decision.reasons[0].startswith("v0.1.0 would go behind migrate of v0.2.0, which is irreversible and ran")
    assert isinstance(
        BeforeDeploy(environment=staging(tools)).decide(evolve(older, waiver="tried by hand"), tools), Act
    )


def test_newer_release_may_follow_an_irreversible_command() -> None:
    tools = make_tools({**MIGRATE, "reversible": False})
    newer = evolve(RELEASE, version=parse_version_file(b"0.3.0"), digest="sha256:" + "3" * 64)
    run(tools)
    entries.append(Event.DEPLOYED, staging(tools), RELEASE, tools)

    run(tools, newer)

    assert tools.commands.runs == ["staging python"] * 2


def test_commands_are_those_of_the_commit_of_the_release() -> None:
    tools = make_tools({**MIGRATE, "command": ["drop"], "reversible": False})
    commit = tools.scm.commit({"kaizen.toml": b'[[before_deploy]]\nname = "migrate"\ncommand = ["add"]\n'})

    run(tools, evolve(RELEASE, commit=commit))

    assert tools.commands.runs == ["staging add"]
    assert not tools.ledger.all_entries[-1].irreversible


def test_release_without_commands_of_its_own_runs_none_and_does_not_go_behind_an_irreversible_one() -> None:
    tools = make_tools({**MIGRATE, "reversible": False})
    commit = tools.scm.commit({"kaizen.toml": b'app = "web"\n'})
    older = evolve(RELEASE, version=parse_version_file(b"0.1.0"), commit=commit, digest="sha256:" + "1" * 64)
    step = BeforeDeploy(environment=staging(tools))

    assert step.decide(older, tools) == Done("there is no command to run", older)
    run(tools)
    assert isinstance(step.decide(older, tools), Refuse)


def test_command_of_a_release_is_refused_where_none_can_run_today() -> None:
    tools = FakeTools()
    commit = tools.scm.commit({"kaizen.toml": b'[[before_deploy]]\nname = "migrate"\ncommand = ["add"]\n'})

    decision = BeforeDeploy(environment=staging(tools)).decide(evolve(RELEASE, commit=commit), tools)

    assert isinstance(decision, Refuse)
    assert decision.reasons == ("v0.2.0 has the command migrate, and App Runner runs no commands",)
