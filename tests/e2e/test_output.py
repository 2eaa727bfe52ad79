"""Colour on terminals, plain text elsewhere, and valid JSON for programs."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support import terminal, workspaces

if TYPE_CHECKING:
    from tests.support.terminal import TerminalOutput
    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

FIVE = ("staging", "prod", "mark", "shane", "dom")
COMMANDS = ("status", "history", "release-staging", "--dry release-staging", "local.status", "--list")


def shown(
    workspace: Workspace, command: str, *, columns: int = 80, typed: str = "", **variables: str
) -> TerminalOutput:
    """Run a command on a terminal in the app's folder."""
    environ = {**workspace.environ, "TERM": "xterm-256color", **variables}
    words = [workspaces.program("inv"), *command.split()]
    return terminal.run_in_terminal(words, cwd=workspace.clone, environ=environ, columns=columns, keyboard_input=typed)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_terminal_there_are_no_escape_codes(demo: Workspace, command: str) -> None:
    result = demo.inv(*command.split(), TERM="xterm-256color", COLORTERM="truecolor").expect_success()
    assert result.out
    assert "\x1b" not in result.out + result.err


@pytest.mark.parametrize("command", ["status", "release-staging"])
def test_a_terminal_gets_colour(demo: Workspace, command: str) -> None:
    assert terminal.ANSI_COLOURS.search(shown(demo, command).raw)


@pytest.mark.parametrize("command", ["status", "history", "release-staging", "promote-beta"])
def test_no_color_is_respected(demo: Workspace, command: str) -> None:
    result = shown(demo, command, NO_COLOR="1")
    assert result.code == 0
    assert terminal.ANSI_COLOURS.findall(result.raw) == []


def test_a_dumb_terminal_gets_no_escape_codes(demo: Workspace) -> None:
    assert "\x1b" not in shown(demo, "status", TERM="dumb").raw


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_status_fits_eighty_columns(demo: Workspace, variables: dict[str, str]) -> None:
    result = shown(demo, "status", columns=80, **variables)
    lines = [line for line in result.lines if line]
    assert max(map(len, lines)) <= 80
    assert [line.split()[1] for line in lines if "v0.2.0" in line] == list(FIVE)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_output_is_complete_at_any_terminal_width(demo: Workspace, columns: int) -> None:
    result = shown(demo, "release-staging", columns=columns)
    words = " ".join(" ".join(result.lines).split())
    assert result.code == 0
    too_long = [line for line in result.lines if len(line) > columns]
    assert columns < 80 or not too_long  # a name that is longer than a line is left to the terminal
    assert "preflight" in words
    assert "no problems" in words


@pytest.mark.parametrize(
    "command", ["status --json", "history --json", "local.status --json", "history --json --env beta"]
)
def test_json_is_the_only_output_on_stdout(demo: Workspace, command: str) -> None:
    result = demo.inv(*command.split()).expect_success()
    assert result.document
    assert result.err == ""


def test_errors_are_printed_on_stderr_only(demo: Workspace) -> None:
    result = demo.inv("status", "--json", INVOKE_AWS_ACCOUNT="999999999999")
    assert (result.code, result.out) == (3, "")


@pytest.mark.parametrize("columns", [40, 100])
def test_rollout_on_a_terminal_ends_with_a_table(demo: Workspace, columns: int) -> None:
    result = shown(demo, "promote-beta", columns=columns)
    assert result.code == 0
    *_, heading, mark, shane, dom, counts, summary = [line for line in result.lines if line]
    assert heading.split()[:3] == ["environment", "step", "elapsed"]
    assert [line.split()[1:3] for line in (mark, shane, dom)] == [["mark", "done"], ["shane", "done"], ["dom", "done"]]
    assert counts.startswith("3 environments: 3 done; ")
    assert summary.startswith("mark, shane, dom serve v0.2.0 (")


def test_rollout_without_a_terminal_prints_counts(demo: Workspace) -> None:
    result = demo.inv("promote-beta").expect_success()
    through = [step for verdict, step in result.verdicts if verdict == "complete"]
    assert sorted(through) == ["dom", "mark", "shane"]
    *_, last_result, summary = result.out.splitlines()
    assert "3 of 3" in last_result
    assert summary.startswith("mark, shane, dom serve v0.2.0 (")


def test_watch_prints_one_json_document_a_refresh(demo: Workspace) -> None:
    with demo.start("status", "--env", "mark", "--watch", "--interval", "1s", "--json") as watch:
        assert watch.stdout
        looks = [json.loads(watch.stdout.readline()) for _ in range(2)]
        os.killpg(watch.pid, signal.SIGINT)
        rest, result = watch.communicate(timeout=workspaces.COMMAND_SECONDS)
    assert [list(each["environments"]) for each in looks] == [["mark"], ["mark"]]
    assert looks[0]["at"] < looks[1]["at"]
    assert (watch.returncode, result) == (0, ""), rest


def test_watching_without_json_needs_a_terminal(demo: Workspace) -> None:
    workspaces.assert_refused(demo.inv("status", "--watch"), 2)
    workspaces.assert_refused(demo.inv("status", "--interval", "3s"), 2)
    workspaces.assert_refused(demo.inv("status", "--watch", "--interval", "1ms", "--json"), 2)


def test_a_protected_environment_asks_for_the_name_of_the_app(demo: Workspace) -> None:
    before = demo.all_files
    wrong = shown(demo, "promote-prod", typed="prod\n")
    assert (wrong.code, demo.changed_files(before)) == (3, [])
    right = shown(demo, "promote-prod", typed="coach\n")
    assert right.code == 0


def test_list_has_a_description_of_every_task(demo: Workspace) -> None:
    result = demo.inv("--list", "--list-format", "json").expect_success()
    tasks = result.document["tasks"] + [task for each in result.document["collections"] for task in each["tasks"]]
    assert len(tasks) > 15
    assert [task["name"] for task in tasks if not task["help"]] == []
