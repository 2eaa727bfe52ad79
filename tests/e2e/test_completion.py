"""The completion of bash, as bash calls it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.workspaces import program

if TYPE_CHECKING:
    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

SCRIPT = """\
source <(kaizen --print-completion-script bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_kaizen_complete inv "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_completes_names_of_environments_and_tasks(workspace: Workspace) -> None:
    """Bash hands over an empty word where the next one begins, and `=` as a word of its own."""
    assert complete(workspace, "inv", "promote", "--env", "") == ["staging"]
    assert complete(workspace, "kaizen", "promote", "--env", "=", "st") == ["staging"]
    assert complete(workspace, "inv", "release-") == ["release-staging"]


def test_bash_completes_releases(workspace: Workspace) -> None:
    """The newest ones come first; other tags are none."""
    for tag in ("v0.9.0", "v0.10.0", "nightly"):
        workspace.git("tag", tag)

    assert complete(workspace, "inv", "rollback", "--release", "v0.")[:2] == ["v0.10.0", "v0.9.0"]


def complete(workspace: Workspace, *words: str) -> list[str]:
    """Return what bash offers for the last word."""
    environ = {**workspace.environ, "PATH": f"{program('inv').rpartition('/')[0]}:{workspace.environ['PATH']}"}
    argv = ("bash", "--noprofile", "--norc", "-c", SCRIPT, "bash", *words)
    result = subprocess.run(argv, cwd=workspace.clone, env=environ, capture_output=True, text=True, check=True)
    return result.stdout.split()
