"""What git says, as a reason in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kaizen_tasks.adapters.git.command import GitResult, trust_command

NO_ACCESS = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access\n"


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (f"ssh: connect to host git.example port 22: Connection refused\n{NO_ACCESS}",
         "ssh: connect to host git.example port 22: Connection refused"),
        (f"Warning: Permanently added 'git.example' to the list of hosts.\nERROR: Repository not found.\n{NO_ACCESS}",
         "ERROR: Repository not found."),
        (f"git@git.example: Permission denied (publickey).\n{NO_ACCESS}",
         "git@git.example: Permission denied (publickey)."),
        (NO_ACCESS, "Could not read from remote repository."),
        ("hint: x\nfatal: not a git repository\n", "not a git repository"),
        ("no words of git\n", "no words of git"),
        ("", "git ended with status 128"),
    ],
)  # fmt: skip
def test_reason_is_what_a_person_needs(stderr: str, expected: str) -> None:
    assert GitResult(status=128, out=b"", err=stderr).reason == expected


@pytest.mark.parametrize("file", ["", os.devnull])
def test_git_is_never_told_to_write_its_configuration_to_dev_null(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It replaces the file that it writes to: as root, the device of the whole machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", file)

    assert trust_command(Path("/app")) == (
        'export GIT_CONFIG_GLOBAL="$(mktemp)" && git config --global --add safe.directory /app'
    )
