"""`inv --list` stays quick: an app's `tasks.py` loads nothing that only running a task needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import workspace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

HEAVY = ["boto3", "botocore", "git", "rich", "urllib3", "moto", "attrs", "attr", "cattrs", "semver", "werkzeug"]
PROBE = "import sys, tasks; print(*(name for name in {heavy} if name in sys.modules))"


def test_an_apps_tasks_load_nothing_heavy(tmp_path: Path) -> None:
    words = (sys.executable, "-c", PROBE.format(heavy=HEAVY))
    said = workspace.run(words, cwd=workspace.EXAMPLE_APP, environ=workspace.clean_environ(tmp_path)).expect_success()
    assert said.out.split() == []
