"""A change as the command line runs it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, cast

import pytest

from kaizen_tasks.cli import options
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.execution import Change
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from kaizen_tasks.flows.execution import Execution
    from kaizen_tasks.wiring import Toolbox


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("web\ny\n"))


def run(environment: str = "staging", *, question: str = "", wait: str = "", yes: bool = False) -> FakeTools:
    """Run a change that notes the lock that it sees."""
    tools = FakeTools()

    def note_lock(_: Execution) -> None:
        lock = tools.locks.get(environment)
        tools.reporter.note(f"locked by {lock.command}" if lock else "not locked")

    change = Change(
        title="change it", environments=(tools.settings.environments[environment],), run=note_lock, question=question
    )
    options.run_change(change, cast("Toolbox", tools), yes=yes, wait=wait)
    return tools


def test_lock_names_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/inv", "hotfix", "--reason", "a fix"])

    assert run().reporter.lines[-1] == "locked by inv hotfix --reason 'a fix'"


def test_protected_environment_and_question_need_confirmation() -> None:
    with pytest.raises(Refused, match="prod is protected"):
        run("prod")
    with pytest.raises(Refused, match="v1-rc is a pre-release"):
        run(question="v1-rc is a pre-release; promote it")

    run("prod", question="v1-rc is a pre-release; promote it", yes=True)


def test_wait_must_be_a_duration() -> None:
    with pytest.raises(UsageError, match="--wait soon"):
        run(wait="soon")


def test_env_flags_repeat_the_environments() -> None:
    assert options.env_flags(["mark", "beta"]) == ("--env", "mark", "--env", "beta")
