"""Scratch folders: private, locked while they are used, and removed by the next command after a kill."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kaizen_tasks.adapters.host.scratch import MIN_AGE_SECONDS, remove_abandoned_folders, scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leave_folder(parent: Path, name: str, *, age: float = 2 * MIN_AGE_SECONDS, mode: int = 0o700) -> Path:
    """Create what a killed command has left some time ago."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    (folder / "config.json").write_text("a login")
    folder.chmod(mode)
    modified_at = folder.stat().st_mtime - age
    os.utime(folder, (modified_at, modified_at))
    return folder


def test_folder_is_private_and_removed_at_the_end() -> None:
    with scratch_folder("kaizen-login-") as folder:
        (folder / "file").touch()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_folder_is_removed_after_an_error() -> None:
    with pytest.raises(ValueError, match="an error"), scratch_folder("kaizen-login-") as folder:
        raise ValueError("an error")
    assert not folder.exists()


def test_next_command_removes_what_a_killed_one_has_left(temporary: Path) -> None:
    for prefix in ("kaizen-demo-", "kaizen-login-", "kaizen-rehearsal-"):
        leave_folder(temporary, f"{prefix}1")
    with scratch_folder("kaizen-login-") as folder:
        assert list(temporary.iterdir()) == [folder]


def test_folders_in_use_new_ones_and_those_of_others_stay(temporary: Path) -> None:
    kept = [
        leave_folder(temporary, "kaizen-demo-new", age=0),
        leave_folder(temporary, "kaizen-demo-shared", mode=0o755),
        leave_folder(temporary, "kaizen-other-1"),
        leave_folder(temporary, "mine"),
    ]
    target = leave_folder(temporary, "target")
    (temporary / "kaizen-demo-link").symlink_to(target)
    (temporary / "kaizen-demo-file").write_text("no folder")
    used = leave_folder(temporary, "kaizen-demo-used")
    descriptor = os.open(used, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    remove_abandoned_folders()
    os.close(descriptor)
    assert all((folder / "config.json").exists() for folder in (*kept, target, used))
    remove_abandoned_folders()
    assert not used.exists()


@pytest.mark.integration
def test_folder_of_a_killed_process_is_abandoned_at_once(temporary: Path) -> None:
    code = (
        "import tempfile, sys, time; from kaizen_tasks.adapters.host.scratch import scratch_folder;"
        "tempfile.tempdir = sys.argv[1]\n"
        "with scratch_folder('kaizen-demo-') as folder: print(folder, flush=True); time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(temporary)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        remove_abandoned_folders(min_age=0)
        assert folder.exists()
        process.kill()
        process.wait()
        remove_abandoned_folders(min_age=0)
        assert not folder.exists()
