"""What people and programs read: colour where it is wanted, plain text elsewhere, JSON that is nothing but JSON."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support import terminal, workspace

if TYPE_CHECKING:
    from tests.support.terminal import TerminalOutput
    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e

FIVE = ("staging", "prod", "mark", "shane", "dom")
COMMANDS = ("status", "history", "release-staging", "--dry release-staging", "local.status", "--list")


def shown(world: Workspace, command: str, *, columns: int = 80, typed: str = "", **variables: str) -> TerminalOutput:
    """Type a command on a terminal in the app's folder."""
    environ = {**world.environ, "TERM": "xterm-256color", **variables}
    words = [workspace.program("inv"), *command.split()]
    return terminal.run_in_terminal(words, cwd=world.clone, environ=environ, columns=columns, keyboard_input=typed)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_terminal_there_are_no_escape_codes(demo: Workspace, command: str) -> None:
    said = demo.inv(*command.split(), TERM="xterm-256color", COLORTERM="truecolor").expect_success()
    assert said.out
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("command", ["status", "release-staging"])
def test_a_terminal_gets_colour(demo: Workspace, command: str) -> None:
    assert terminal.ANSI_COLOURS.search(shown(demo, command).raw)


@pytest.mark.parametrize("command", ["status", "history", "release-staging", "promote-beta"])
def test_no_color_is_respected(demo: Workspace, command: str) -> None:
    said = shown(demo, command, NO_COLOR="1")
    assert said.code == 0
    assert terminal.ANSI_COLOURS.findall(said.raw) == []


def test_a_dumb_terminal_gets_no_escape_codes(demo: Workspace) -> None:
    assert "\x1b" not in shown(demo, "status", TERM="dumb").raw


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_status_fits_eighty_columns(demo: Workspace, variables: dict[str, str]) -> None:
    said = shown(demo, "status", columns=80, **variables)
    lines = [line for line in said.lines if line]
    assert max(map(len, lines)) <= 80
    assert [line.split()[1] for line in lines if "v0.2.0" in line] == list(FIVE)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_lost_on_a_terminal_of_any_width(demo: Workspace, columns: int) -> None:
    said = shown(demo, "release-staging", columns=columns)
    words = " ".join(" ".join(said.lines).split())
    assert said.code == 0
    assert max(map(len, said.lines)) <= columns
    assert "preflight" in words
    assert "no problems" in words


@pytest.mark.parametrize(
    "command", ["status --json", "history --json", "local.status --json", "history --json --env beta"]
)
def test_json_stands_alone_on_stdout(demo: Workspace, command: str) -> None:
    said = demo.inv(*command.split()).expect_success()
    assert said.document
    assert said.err == ""


def test_a_failure_leaves_stdout_to_programs(demo: Workspace) -> None:
    said = demo.inv("status", "--json", INVOKE_AWS_ACCOUNT="999999999999")
    assert (said.code, said.out) == (3, "")


@pytest.mark.parametrize("columns", [40, 100])
def test_a_promotion_to_several_environments_leaves_a_table(demo: Workspace, columns: int) -> None:
    said = shown(demo, "promote-beta", columns=columns)
    assert said.code == 0
    *_, heading, mark, shane, dom, counts = [line for line in said.lines if line]
    assert heading.split()[:3] == ["environment", "step", "elapsed"]
    assert [line.split()[1:3] for line in (mark, shane, dom)] == [["mark", "done"], ["shane", "done"], ["dom", "done"]]
    assert counts.startswith("3 environments: 3 done; ")


def test_elsewhere_a_promotion_says_when_and_how_many_are_through(demo: Workspace) -> None:
    said = demo.inv("promote-beta").expect_success()
    through = [step for verdict, step in said.verdicts if verdict == "complete"]
    assert sorted(through) == ["dom", "mark", "shane"]
    assert len(workspace.TIMESTAMP.findall(said.out.splitlines()[-1])) == 1


def test_watching_gives_a_document_for_each_look_until_it_is_stopped(demo: Workspace) -> None:
    with demo.start("status", "--env", "mark", "--watch", "--interval", "1s", "--json") as watch:
        assert watch.stdout
        looks = [json.loads(watch.stdout.readline()) for _ in range(2)]
        os.killpg(watch.pid, signal.SIGINT)
        rest, said = watch.communicate(timeout=workspace.COMMAND_SECONDS)
    assert [list(each["environments"]) for each in looks] == [["mark"], ["mark"]]
    assert looks[0]["at"] < looks[1]["at"]
    assert (watch.returncode, said) == (0, ""), rest


def test_watching_without_json_needs_a_terminal(demo: Workspace) -> None:
    workspace.assert_refused(demo.inv("status", "--watch"), 2)
    workspace.assert_refused(demo.inv("status", "--interval", "3s"), 2)
    workspace.assert_refused(demo.inv("status", "--watch", "--interval", "1ms", "--json"), 2)


def test_a_protected_environment_asks_for_the_name_of_the_app(demo: Workspace) -> None:
    before = demo.all_files
    wrong = shown(demo, "promote-prod", typed="prod\n")
    assert (wrong.code, demo.changed_files(before)) == (3, [])
    right = shown(demo, "promote-prod", typed="coach\n")
    assert right.code == 0


def test_the_list_of_tasks_says_what_each_is_for(demo: Workspace) -> None:
    said = demo.inv("--list", "--list-format", "json").expect_success()
    tasks = said.document["tasks"] + [task for each in said.document["collections"] for task in each["tasks"]]
    assert len(tasks) > 15
    assert [task["name"] for task in tasks if not task["help"]] == []


@pytest.mark.parametrize(
    "task", ["release-staging", "promote-prod", "status", "demo", "changelog.add", "deploy", "setup"]
)
def test_every_flag_says_what_it_is_for(demo: Workspace, task: str) -> None:
    said = demo.inv("--help", task).expect_success()
    options = said.out.partition("Options:\n")[2].splitlines()
    assert options
    assert [line for line in options if line.strip().startswith("-") and len(line.split()) < 4] == []
