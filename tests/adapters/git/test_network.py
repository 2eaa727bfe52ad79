"""Commands that talk to a remote: progress, deadline and interruption, with real repositories."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git import push
from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import PushFailed
from tests.contracts.scm import land_and_tag
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration
PUSH = """
import sys
from pathlib import Path
from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import Interrupted

try:
    GitScm(Path(sys.argv[1])).push(branch="main", tag="v1.2.3")
except (Interrupted, KeyboardInterrupt) as error:
    sys.exit(type(error).__name__)
"""


@pytest.fixture(autouse=True)
def _released(repository: Repository) -> None:
    land_and_tag(GitScm(repository.path))


def push_and_record(repository: Repository, *, shows_progress: bool = True) -> list[str]:
    lines: list[str] = []
    GitScm(repository.path, shows_progress=shows_progress).push(branch="main", tag="v1.2.3", on_progress=lines.append)
    return lines


class TestProgress:
    @pytest.fixture
    def slow_remote(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
        monkeypatch.setattr("kaizen_tasks.adapters.git.network.PROGRESS_INTERVAL_SECONDS", 0)
        repository.git("config", "remote.origin.receivepack", "sleep 1.1; git-receive-pack")
        return repository

    def test_push_of_more_than_a_second_shows_its_progress(self, slow_remote: Repository) -> None:
        lines = push_and_record(slow_remote)

        assert any(line.startswith("Writing objects: 100%") for line in lines)

    def test_log_gets_no_progress(self, slow_remote: Repository) -> None:
        assert push_and_record(slow_remote, shows_progress=False) == []

    def test_lines_are_at_least_an_interval_apart(
        self, slow_remote: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kaizen_tasks.adapters.git.network.PROGRESS_INTERVAL_SECONDS", 60)

        assert len(push_and_record(slow_remote)) == 1

    def test_quick_push_shows_nothing(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kaizen_tasks.adapters.git.network.PROGRESS_DELAY_SECONDS", 60)

        assert push_and_record(repository) == []

    def test_push_survives_a_terminal_that_is_gone(self, slow_remote: Repository) -> None:
        def show(_line: str) -> None:
            raise BrokenPipeError

        GitScm(slow_remote.path, shows_progress=True).push(branch="main", tag="v1.2.3", on_progress=show)

        assert slow_remote.remote_git("tag") == "v1.2.3"

    @pytest.mark.parametrize("text", ["12 tests failed: 3", "a r\\351sum\\351", "tests: 50% (1/2)failed"])
    def test_error_quotes_a_hook_whose_text_is_not_progress(self, repository: Repository, text: str) -> None:
        repository.remote_hook("pre-receive", f"printf '{text}\\n' >&2; exit 1")

        with pytest.raises(PushFailed, match="a hook on origin declines main: ") as failure:
            push_and_record(repository)

        assert failure.value.message.rpartition("main: ")[2] != "pre-receive hook declined"


class HangingProgram:
    """What the remote runs instead of receiving: it writes one byte into a FIFO, then keeps it open for a minute."""

    def __init__(self, fifo: Path) -> None:
        os.mkfifo(fifo)
        self.command = f"exec 3> '{fifo}'; printf . >&3; exec sleep 60;"
        self._fifo = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def wait_for_start(self) -> None:
        while True:
            with suppress(BlockingIOError):  # opened, and not written yet
                if os.read(self._fifo, 1) == b".":
                    return
            time.sleep(0.02)

    def has_ended(self) -> bool:
        """Return whether every process that holds the FIFO ends within ten seconds."""
        return self._fifo in select.select([self._fifo], [], [], 10)[0] and os.read(self._fifo, 1) == b""


class TestInterruption:
    @pytest.fixture
    def hanging(self, repository: Repository, tmp_path: Path) -> HangingProgram:
        program = HangingProgram(tmp_path / "fifo")
        repository.git("config", "remote.origin.receivepack", program.command)
        return program

    @pytest.mark.parametrize(
        ("number", "expected"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Interrupted")]
    )
    def test_interrupted_push_leaves_no_process(
        self, repository: Repository, hanging: HangingProgram, number: signal.Signals, expected: str
    ) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", PUSH, str(repository.path)], stderr=subprocess.PIPE, text=True
        )
        hanging.wait_for_start()
        process.send_signal(number)

        assert process.communicate(timeout=HANG_SECONDS)[1] == f"{expected}\n"
        assert hanging.has_ended()

    def test_push_that_takes_too_long_leaves_no_process(
        self, repository: Repository, hanging: HangingProgram, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(push, "PUSH_TIMEOUT_SECONDS", 1.0)

        with pytest.raises(PushFailed, match=r"pushing main and v1.2.3 to origin did not finish within 1s"):
            GitScm(repository.path).push(branch="main", tag="v1.2.3")

        hanging.wait_for_start()
        assert hanging.has_ended()
