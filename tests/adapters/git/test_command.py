"""What git says, as a reason in one line."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.git.command import GitResult

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
