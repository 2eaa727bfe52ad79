"""Programs with a supervisor: how they end, and which processes start them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.instances.supervised import KILLED, SupervisedProgram
from kaizen_tasks.localcloud.instances.supervisor import COMMAND_NOT_FOUND
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., SupervisedProgram]

pytestmark = pytest.mark.integration

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="what is asserted is read from /proc")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a program whose output is in the file `output`; all are stopped in the end."""
    programs = []

    def start_program(*words: str, folder: Path = tmp_path) -> SupervisedProgram:
        program = SupervisedProgram(
            words,
            grace=0.1,
            output=tmp_path / "output",
            environment={"PATH": os.environ["PATH"], "GREETING": "a 'b' é\n"},
            working_directory=folder,
        )
        programs.append(program)
        return program

    yield start_program
    for program in programs:
        program.stop()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("exit 0", 0)])
def test_exit_code_is_that_of_a_shell(start: Start, script: str, code: int) -> None:
    assert start("sh", "-c", script).exit_code(timeout=HANG_SECONDS) == code


def test_program_gets_its_environment_and_folder_and_no_input(start: Start, tmp_path: Path) -> None:
    program = start("sh", "-c", 'pwd; printf %s "$GREETING"; umask; cat')

    assert program.exit_code(timeout=HANG_SECONDS) == 0
    assert (tmp_path / "output").read_text() == f"{tmp_path}\na 'b' é\n0022\n"


def test_program_that_cannot_be_run_says_why(start: Start, tmp_path: Path) -> None:
    assert start("no-such-program").exit_code(timeout=HANG_SECONDS) == COMMAND_NOT_FOUND
    assert start("true", folder=tmp_path / "missing").exit_code(timeout=HANG_SECONDS) == COMMAND_NOT_FOUND
    assert (tmp_path / "output").read_text() == "".join(
        f"{program} cannot be run: No such file or directory\n" for program in ("no-such-program", "true")
    )


def test_exit_code_is_known_after_the_stop(start: Start) -> None:
    program = start("sleep", "60")
    assert program.exit_code() is None

    program.stop()
    program.stop()

    assert program.exit_code() == 128 + signal.SIGTERM


def test_program_is_killed_with_its_supervisor(start: Start) -> None:
    program = start("sleep", "60")

    os.kill(program.session, signal.SIGKILL)

    assert program.exit_code(timeout=HANG_SECONDS) == KILLED


@linux_only
def test_one_process_starts_all_programs_and_another_one_if_it_is_killed(start: Start) -> None:
    first, second = start("sleep", "60"), start("sleep", "60")
    forking = parent_of(first.session)
    assert parent_of(second.session) == forking

    os.kill(forking, signal.SIGKILL)
    wait_for(lambda: parent_of(first.session) != forking)
    third = start("sleep", "60")

    assert parent_of(third.session) != forking
    assert [program.exit_code() for program in (first, second, third)] == [None, None, None]
