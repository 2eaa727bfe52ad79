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


def test_cut_loads_neither_the_ledger_nor_environments(tmp_path: Path) -> None:
    heavy = [f"kaizen_tasks.{name}" for name in ("domain.ledger", "domain.environment", "flows.ledger.entries")]
    probe = f"import sys; from kaizen_tasks.cli.handlers import steps; {PROBE.partition('; ')[2]}"
    words = (sys.executable, "-c", probe.format(heavy=[*heavy, "cattrs"]))
    result = workspaces.run(
        words, cwd=workspaces.EXAMPLE_APP, environ=workspaces.clean_environ(tmp_path)
    ).expect_success()
    assert result.out.split() == []


def test_status_as_json_loads_neither_tables_nor_the_changelog(tmp_path: Path) -> None:
    heavy = ["rich", "kaizen_tasks.domain.changelog"]
    probe = "import sys; from kaizen_tasks.cli.handlers import status; from kaizen_tasks.adapters.aws import session"
    code = f"{probe}; session.Aws(region='eu-west-1', profile='', account='').sts(); {PROBE.partition('; ')[2]}"
    words = (sys.executable, "-c", code.format(heavy=heavy))
    result = workspaces.run(
        words, cwd=workspaces.EXAMPLE_APP, environ=workspaces.clean_environ(tmp_path)
    ).expect_success()
    assert result.out.split() == []
