"""Scratch apps in which a test runs `kaizen` inside its own process, which is ten times faster than starting one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

from kaizen_tasks.program import KaizenProgram, namespace
from tests.support.git_repository import init_repository
from tests.support.workspaces import CommandResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

ALONE = 'app = "web"\n'
"""A configuration of an app that deploys nothing."""

TEAM = """\
app = "web"
pipeline = ["staging", "prod"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["true"]

[environments.staging]
[environments.prod]
protected = true
"""
FILES = {
    "VERSION": "0.1.0\n",
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n### Added\n\n- All\n",
}


def make(
    folder: Path,
    configuration: str,
    environ: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    files: Mapping[str, str] = FILES,
) -> None:
    """Create an app's repository in a folder, make it the working directory, and set environment variables."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    init_repository(folder, {**files, "kaizen.toml": configuration})


def kaizen(*words: str, capsys: pytest.CaptureFixture[str]) -> CommandResult:
    """Run `kaizen …` in this process."""
    capsys.readouterr()
    code = 0
    with patch.object(sys, "argv", ["kaizen", *words]):
        try:
            KaizenProgram(namespace()).run(sys.argv)
        except SystemExit as end:
            code = int(end.code or 0)
    sys.stdout.flush()
    output = capsys.readouterr()
    return CommandResult(words=("kaizen", *words), code=code, out=output.out, err=output.err)
