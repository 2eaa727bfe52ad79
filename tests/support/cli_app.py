"""Small apps to type commands in, without starting a process for each."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.program import KaizenProgram, namespace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

ALONE = 'app = "web"\n'
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


@frozen(kw_only=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def make(folder: Path, configuration: str, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an app's repository, and stand in it."""
    for name, content in {**FILES, "kaizen.toml": configuration}.items():
        (folder / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ada"),
        ("config", "user.email", "ada@example.com"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "First"),
    ):
        subprocess.run(("git", *words), check=True)


def kaizen(*words: str, capsys: pytest.CaptureFixture[str]) -> Said:
    """Type `kaizen …`."""
    capsys.readouterr()
    code = 0
    try:
        KaizenProgram(name="kaizen", binary="kaizen", namespace=namespace(), version="0").run(["kaizen", *words])
    except SystemExit as ended:
        code = int(ended.code or 0)
    sys.stdout.flush()
    heard = capsys.readouterr()
    return Said(code=code, out=heard.out, err=heard.err)
