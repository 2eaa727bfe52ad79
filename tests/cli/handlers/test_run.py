"""Commands by hand as they are typed: `run`, `command.resolve` and `logs`."""

from __future__ import annotations

import io
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import commands
from kaizen_tasks.cli.error_text import LABEL
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.log_line import LogLine
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLVE = commands.command_group.tasks["resolve"]
MIGRATE = {"name": "migrate", "command": ["migrate"], "environments": ["prod"]}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """The tools of every command; staging serves v0.2.0, and commands run in a task definition."""
    made = FakeTools(settings=settings(defaults={"task": "commands", "subnets": ["subnet-1"]}, before_deploy=[MIGRATE]))
    release(made)
    made.next_command()
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: made)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *words: str, **flags: object) -> int:
    """Type `inv run --env staging -- WORDS`, and return the exit code."""
    monkeypatch.setattr(sys, "argv", ["inv", "run", "--env", "staging", "--", *words])
    try:
        commands.run.body(Context(), **{"env": "staging", **flags})
    except Exit as left:
        return left.code
    return 0


def refused(task: Any, **flags: object) -> str:
    with pytest.raises(Exit) as left:
        task.body(Context(), **flags)
    return f"{left.value.code}: {(left.value.message or '').removeprefix(LABEL)}"


class TestRun:
    def test_words_reach_the_command_as_the_shell_split_them(
        self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tools.commands.outputs["sh"] = ("a  line", "of \x1b[31mcolour")

        code = run(monkeypatch, "sh", "-c", "echo 'a  line' --yes", "")

        assert code == 0
        assert tools.commands.started["task-1"].words == ("sh", "-c", "echo 'a  line' --yes", "")
        assert capsys.readouterr().out == "a  line\nof \x1b[31mcolour\n"

    def test_exit_code_is_that_of_the_command(self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
        tools.commands.exit_codes["check"] = 17

        assert run(monkeypatch, "check") == 17
        assert tools.reporter.lines[-1] == "exit code 17"

    def test_nothing_that_is_printed_repeats_the_arguments(
        self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tools.commands.exit_codes["psql"] = None

        code = run(monkeypatch, "psql", "--password=hush")

        said = capsys.readouterr()
        assert code == 130
        assert "hush" not in f"{said.out}{said.err}{tools.reporter.lines}{tools.ledger.all_entries}"

    def test_protected_environment_asks_first(self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("web\n"))

        code = run(monkeypatch, "ls", env="prod")

        assert code == 3
        assert tools.commands.runs == []

    def test_command_is_needed(self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["inv", "run", "--env", "staging"])

        assert refused(commands.run, env="staging").startswith("2: run: which command?")


class TestResolve:
    def test_outcome_is_recorded_with_the_reason(self, tools: FakeTools) -> None:
        prod, entry = tools.settings.environments["prod"], tools.ledger.all_entries[-1]
        started = Event.COMMAND_STARTED
        tools.ledger.append(
            type(entry)(
                environment=prod.name, event=started, version=entry.version, commit=entry.commit, digest=entry.digest,
                at=entry.at, actor=entry.actor, command="migrate",
            )
        )  # fmt: skip

        RESOLVE.body(
            Context(), env="prod", name="migrate", outcome="succeeded", reason="looked", release="v0.2.0", yes=True
        )

        last = tools.ledger.all_entries[-1]
        assert (last.event, last.reason) == (Event.COMMAND_SUCCEEDED, "looked")

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            ({"name": ""}, "2: command.resolve: which command?"),
            ({"outcome": "done"}, "2: --outcome 'done' is not an outcome"),
            ({"reason": None}, "2: command.resolve: how do you know?"),
            ({"reason": "--yes"}, "2: --reason needs a reason, got '--yes'"),
            ({}, "3: prod: the command migrate was never started there"),
        ],
    )
    def test_wrong_flags_are_refused(self, tools: FakeTools, flags: dict[str, Any], said: str) -> None:
        right = {"env": "prod", "name": "migrate", "outcome": "failed", "reason": "looked", "release": ""}

        assert refused(RESOLVE, **{**right, **flags}).startswith(said)


class TestLogs:
    @pytest.fixture(autouse=True)
    def _printed(self, tools: FakeTools) -> None:
        now = tools.clock.now()
        for name, seconds, text in (("staging", 700, "old"), ("staging", 3, "one\ntwo"), ("mark", 2, "three")):
            line = LogLine(at=now - timedelta(seconds=seconds), stream="instance/1", text=text, id=f"{name}-{seconds}")
            tools.logs.lines.setdefault(f"{name}-web-service", []).append(line)

    def shown(self, capsys: pytest.CaptureFixture[str], env: Sequence[str], **flags: object) -> list[str]:
        commands.logs.body(Context(), env=list(env), **flags)
        return capsys.readouterr().out.splitlines()

    def test_ten_minutes_are_shown_by_default(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.shown(capsys, ["staging"]) == ["one", "two"]
        assert self.shown(capsys, ["staging"], since="1h") == ["old", "one", "two"]

    def test_lines_of_several_environments_begin_with_their_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.shown(capsys, ["staging", "beta"]) == ["staging | one", "staging | two", "mark    | three"]

    def test_document_of_a_line(self, capsys: pytest.CaptureFixture[str], tools: FakeTools) -> None:
        (line,) = self.shown(capsys, ["mark"], json=True)

        at = tools.clock.now() - timedelta(seconds=2)
        assert json.loads(line) == {
            "environment": "mark",
            "at": at.isoformat(),
            "stream": "instance/1",
            "text": "three",
        }

    def test_ctrl_c_ends_what_is_followed(self, capsys: pytest.CaptureFixture[str], tools: FakeTools) -> None:
        def interrupt(seconds: float) -> None:  # noqa: ARG001 - that of the clock
            raise KeyboardInterrupt

        tools.clock.sleep = interrupt  # type: ignore[method-assign]

        assert self.shown(capsys, ["staging"], follow=True) == ["one", "two"]

    def test_duration_that_is_none_is_refused(self) -> None:
        assert refused(commands.logs, env=["staging"], since="yesterday").startswith("2: --since yesterday: neither")
        assert "in the future" in refused(commands.logs, env=["staging"], since="2999-01-01")
