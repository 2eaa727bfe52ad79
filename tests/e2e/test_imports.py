"""`inv --list` imports nothing that only running a task needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import workspaces

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

HEAVY = ["boto3", "botocore", "git", "rich", "urllib3", "moto", "attrs", "attr", "cattrs", "semver", "werkzeug"]
PROBE = "import sys, tasks; print(*(name for name in {heavy} if name in sys.modules))"


def test_tasks_file_imports_no_heavy_module(tmp_path: Path) -> None:
    words = (sys.executable, "-c", PROBE.format(heavy=HEAVY))
    result = workspaces.run(
        words, cwd=workspaces.EXAMPLE_APP, environ=workspaces.clean_environ(tmp_path)
    ).expect_success()
    assert result.out.split() == []
