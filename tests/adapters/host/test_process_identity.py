"""Detecting dead processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.host import process_identity
from kaizen_tasks.adapters.host.process_identity import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it well enough"),
]

TOKEN = "a-token-that-nobody-else-bears"
NAMES = (
    "from kaizen_tasks.adapters.host.process_identity import current_process_identity\n"
    "print(current_process_identity(), flush=True); input()"
)


@contextmanager
def another(code: str = NAMES, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a process and yield it with the first line it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_process_that_runs_has_not_ended() -> None:
    with another() as (_, name):
        assert not process_identity.is_dead(name, env_marker=TOKEN)


def test_process_runs_until_it_is_stopped_or_ends() -> None:
    with another() as (process, name):
        assert process_identity.is_running(name)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert not process_identity.is_running(name)
        process.kill()
        process.wait()
        assert not process_identity.is_running(name)


def test_this_process_is_no_other_process() -> None:
    assert not process_identity.is_running(process_identity.current_process_identity())


def test_a_process_that_is_stopped_has_not_ended() -> None:
    with another() as (process, name):
        process.send_signal(signal.SIGSTOP)
        assert not process_identity.is_dead(name, env_marker=TOKEN)


def test_zombie_has_ended() -> None:
    with another() as (process, name):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_identity.is_dead(name, env_marker=TOKEN)
        process.wait()
        assert process_identity.is_dead(name, env_marker=TOKEN)


def test_process_with_living_children_has_not_ended() -> None:
    with another() as (process, name), another(f"print({TOKEN!r}, flush=True); input()", KAIZEN_LOCK=TOKEN):
        process.kill()
        process.wait()
        assert not process_identity.is_dead(name, env_marker=TOKEN)
    assert process_identity.is_dead(name, env_marker=TOKEN)


@pytest.mark.parametrize("what", ["boot_id", "pid_namespace", "uid"])
def test_process_of_another_machine_is_not_dead(what: str) -> None:
    gone = evolve(
        ProcessIdentity(*process_identity.current_process_identity().split("/")), pid="0", **{what: "another"}
    )
    assert not process_identity.is_dead(str(gone), env_marker=TOKEN)
    assert not process_identity.is_running(str(evolve(gone, pid="1")))


def test_reused_pid_is_another_process() -> None:
    life = ProcessIdentity(*process_identity.current_process_identity().split("/"))
    assert not process_identity.is_dead(str(life), env_marker=TOKEN)
    assert process_identity.is_dead(str(evolve(life, start_ticks="1")), env_marker=TOKEN)


@pytest.mark.parametrize("name", ["", "ada@laptop", "a/b/c/d/e", "a/b/c/d/e/f"])
def test_malformed_identity_is_not_dead(name: str) -> None:
    assert not process_identity.is_dead(name, env_marker=TOKEN)
    assert not process_identity.is_running(name)


def test_identity_is_empty_without_procfs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = str(evolve(ProcessIdentity(*process_identity.current_process_identity().split("/")), start_ticks="1"))
    monkeypatch.setattr(process_identity, "PROC", tmp_path)
    assert process_identity.current_process_identity() == ""
    assert not process_identity.is_dead(gone, env_marker=TOKEN)
