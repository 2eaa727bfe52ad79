"""The program `kaizen`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli_app import kaizen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a library's folder."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    monkeypatch.chdir(tmp_path)


BUMP_HINT = "kaizen --help bump shows its flags; kaizen --list shows every task"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("nosuchtask", "error: No idea what 'nosuchtask' is!\nkaizen --list shows every task\n"),
        ("--help nosuchtask", "error: No idea what 'nosuchtask' is!\nkaizen --list shows every task\n"),
        ("--nosuchflag", "error: No idea what '--nosuchflag' is!\nkaizen --list shows every task\n"),
        ("--list nosuchpart", "error: Sub-collection 'nosuchpart' not found!\n"),
        ("bump --nosuchflag", f"error: No idea what '--nosuchflag' is!\n{BUMP_HINT}\n"),
    ],
)
def test_unparsable_command_line_is_a_usage_error(capsys: pytest.CaptureFixture[str], line: str, what: str) -> None:
    said = kaizen(*line.split(), capsys=capsys)

    assert (said.code, said.out, said.err) == (2, "", what)


@pytest.mark.parametrize("line", ["--list", "--help bump", "--help", "--version", "--print-completion-script bash"])
def test_informational_flags_exit_with_0(capsys: pytest.CaptureFixture[str], line: str) -> None:
    said = kaizen(*line.split(), capsys=capsys)

    assert (said.code, said.err) == (0, "")
    assert said.out


@pytest.mark.integration
def test_list_into_a_closed_pipe_ends_quietly() -> None:
    """As in `kaizen --list | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            (sys.executable, "-m", "kaizen_tasks", "--list"), stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)

    assert (result.returncode, result.stderr) == (0, b"")
