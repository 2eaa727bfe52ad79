"""The program `kaizen`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.program import OPTIONS
from tests.support.cli_app import TEAM, kaizen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in the folder of an app with two environments."""
    (tmp_path / "kaizen.toml").write_text(TEAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


GROUPS = "(there are changelog, command, config, hold, local, lock, notify, release, runtime)"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("nosuchtask", "there is no task 'nosuchtask'", "kaizen --list"),
        ("local", "local is a group of tasks: local.up, local.down, local.status", "kaizen --list=local"),
        ("--list=chang", f"--list chang: there is no such group of tasks {GROUPS}", "kaizen --list=changelog"),
        ("--list=xyz", f"--list xyz: there is no such group of tasks {GROUPS}", "kaizen --list"),
        ("stauts --json", "there is no task 'stauts'", "kaizen status --json"),
        ("--dry changelog.chek", "there is no task 'changelog.chek'", "kaizen --dry changelog.check"),
        ("--help stauts", "there is no task 'stauts'", "kaizen --help status"),
        ("bump minor", "there is no task 'minor'", "kaizen --list"),
        ("deploy staging", "staging is not a task; environments follow --env", "kaizen deploy --env staging"),
        ("--nosuchoption", "there is no option --nosuchoption", "kaizen --help"),
        ("--echo bump", "there is no option --echo", "kaizen --help"),
        ("bump --nosuchflag", "bump has no flag --nosuchflag", "kaizen --help bump"),
        ("release-staging --nope", "release-staging has no flag --nope", "kaizen --help release-staging"),
        ("bump --prat=patch", "bump has no flag --prat", "kaizen bump --part=patch"),
        ("bump -t 1.2.3", "bump has no flag -t", "kaizen bump --to 1.2.3"),
        ("bump -xy", "bump has no flag -x", "kaizen --help bump"),
        ("bump -e staging", "bump has no flag -e", "kaizen --help bump"),
        ("runtime.set -x --set KEY=private", "runtime.set has no flag -x", "kaizen --help runtime.set"),
        ("runtime.set --evn staging --set KEY=private", "runtime.set has no flag --evn", "kaizen --help runtime.set"),
        ("bump --to", "--to needs a value", "kaizen --help bump"),
        ("hold.list --json", "there is no task 'hold.list'", "kaizen lock.show --json"),
        ("hold.show", "there is no task 'hold.show'", "kaizen lock.show"),
        ("holds", "there is no task 'holds'", "kaizen lock.show"),
        ("notify.everybody", "there is no task 'notify.everybody'", "kaizen --list=notify"),
        (
            "--print-completion-script tcsh",
            "there is no completion for tcsh",
            "choose one of bash, fish, zsh",
        ),
    ],
)
def test_unparsable_command_line_is_a_usage_error_with_the_nearest_right_one(
    capsys: pytest.CaptureFixture[str], line: str, message: str, hint: str
) -> None:
    said = kaizen(*line.split(), capsys=capsys)

    assert (said.code, said.out, said.err.splitlines()) == (2, "", [f"error: {message}", hint])


@pytest.mark.parametrize("task", ["rehearse", "status", "lock.show", "hold.list"])
def test_tasks_of_environments_name_what_a_library_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    (folder / "kaizen.toml").write_text('app = "library"\n')

    said = kaizen(task, capsys=capsys)

    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0] == f"error: {task} needs an environment, and none is configured"
    assert "[environments.staging]" in said.err


def test_a_release_in_a_library_is_cut(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kaizen.toml").write_text('app = "library"\n')

    said = kaizen("release", "--dry", capsys=capsys)

    assert (said.code, said.err.splitlines()) == (2, ["error: there is no task 'release'", "kaizen cut --dry"])


@pytest.mark.parametrize("line", ["--list", "--help bump", "--help", "--version", "--print-completion-script bash", ""])
def test_informational_flags_exit_with_0(capsys: pytest.CaptureFixture[str], line: str) -> None:
    said = kaizen(*line.split(), capsys=capsys)

    assert (said.code, said.err) == (0, "")
    assert said.out


@pytest.mark.parametrize("line", ["deploy -h", "deploy --help", "--help deploy", "-h deploy", "--help=deploy"])
def test_help_of_a_task_says_what_the_values_of_its_flags_are(capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert kaizen(*line.split(), capsys=capsys).out.splitlines()[:9] == [
        "Usage: kaizen deploy [--options] [other tasks ...]",
        "",
        "Bring a release into service, and wait for it.",
        "",
        "Copies the image by digest if it is not there yet, moves the followed tag and starts the deployment.",
        "",
        "Options:",
        "  -e, --env=ENV                environment or group; may be repeated",
        "  -r, --release=vX.Y.Z         the release: v1.2.3 or 1.2.3",
    ]


def test_help_lists_every_option_that_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    said = kaizen("--help", capsys=capsys).out

    assert [name for name in OPTIONS if f"--{name}" not in said] == []
    assert "-R, --dry  " in said
    assert "print the plan; change nothing" in said
    assert "--echo" not in said


def test_without_arguments_it_says_what_to_type(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    in_app = kaizen(capsys=capsys).out
    (folder / "kaizen.toml").write_text("app =")
    in_broken_app = kaizen(capsys=capsys).out
    (folder / "kaizen.toml").write_text('app = "library"')
    in_library = kaizen(capsys=capsys).out
    (folder / "kaizen.toml").unlink()
    elsewhere = kaizen(capsys=capsys).out

    assert [text.splitlines()[1].split("  ")[1] for text in (in_app, in_broken_app, in_library, elsewhere)] == [
        "kaizen status",
        "kaizen doctor",
        "kaizen --dry cut",
        "kaizen init",
    ]
    assert "kaizen --dry release-staging" in in_app


@pytest.mark.integration
@pytest.mark.parametrize("module", ["kaizen_tasks", "invoke"])
def test_list_into_a_closed_pipe_ends_quietly(folder: Path, module: str) -> None:
    """As in `kaizen --list | head -1`."""
    (folder / "tasks.py").write_text("from kaizen_tasks import namespace\n")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            (sys.executable, "-m", module, "--list"), stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)

    assert (result.returncode, result.stderr) == (0, b"")


TASKS = """
from invoke import task
from kaizen_tasks import flow, namespace
from kaizen_tasks.flows import steps

@flow
def canary(environment, settings):
    "Try a release."
    return (steps.Verify(environment),)

@task
def lint(c, strict=False):
    "Look for mistakes."

namespace.add_task(canary)
namespace.add_task(lint)
"""


def inv(*words: str) -> tuple[int, str, str]:
    """Type `inv …` in the working directory; return the exit code, the output and the errors."""
    result = subprocess.run((sys.executable, "-m", "invoke", *words), capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.integration
def test_inv_has_the_same_lists_help_and_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Invoke's own program, which finds `tasks.py`, becomes one of ours when it loads our tasks."""
    (folder / "tasks.py").write_text("from kaizen_tasks import namespace\n")

    for line in ("--list", "deploy -h", "stauts --json", "bump --prat=patch", "bump -e x"):
        said = kaizen(*line.split(), capsys=capsys)
        assert inv(*line.split()) == (
            said.code,
            said.out.replace("kaizen ", "inv "),
            said.err.replace("kaizen ", "inv "),
        )


@pytest.mark.integration
def test_inv_lists_the_flows_and_tasks_of_an_app(folder: Path) -> None:
    (folder / "tasks.py").write_text(TASKS)

    _, listed, _ = inv("--list")
    _, flow_help, _ = inv("--help", "canary")
    _, task_help, _ = inv("--help", "lint")

    own = "This app's own:\n  canary             Try a release.\n  lint               Look for mistakes.\n"
    assert own in listed
    assert "  -e, --env=ENV" in flow_help
    assert "-s, --strict" in task_help
