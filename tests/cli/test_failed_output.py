"""Outputs of Invoke's own that cannot be written: lists, help, versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.support.waiting import HANG_SECONDS

pytestmark = pytest.mark.integration


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    (tmp_path / "tasks.py").write_text("from kaizen_tasks import namespace\n__all__ = ['namespace']\n")
    return tmp_path


def run(app: Path, program: str, flag: str, stdout: IO[bytes] | int) -> subprocess.CompletedProcess[str]:
    argv = [str(Path(sys.executable).with_name(program)), flag]
    return subprocess.run(
        argv, cwd=app, stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", check=False, timeout=HANG_SECONDS
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("program", ["inv", "kaizen"])
@pytest.mark.parametrize("flag", ["--list", "--help=bump"])
def test_full_disk_is_no_traceback(app: Path, program: str, flag: str) -> None:
    with Path("/dev/full").open("wb") as full:
        result = run(app, program, flag, full)

    assert (result.returncode, result.stderr) == (3, "error: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("program", ["inv", "kaizen"])
@pytest.mark.parametrize("flag", ["--list", "--help=bump"])
def test_reader_that_has_enough_is_no_error(app: Path, program: str, flag: str) -> None:
    """As in `inv --list | head -1`."""
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    assert reader.stdin is not None
    reader.wait(HANG_SECONDS)
    with reader.stdin as pipe:
        result = run(app, program, flag, pipe)

    assert (result.returncode, result.stderr) == (0, "")
