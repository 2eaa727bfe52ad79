"""`inv --list` imports nothing that only running a task needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.crash.library import create_library
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


def test_a_whole_cut_loads_nothing_of_images_secrets_and_environments(tmp_path: Path) -> None:
    """Each of these has classes that take a third of a millisecond to make, at every start."""
    library = create_library(tmp_path / "library")
    library.repository.git("remote", "remove", "origin")
    lines = library.inv("cut", PYTHONVERBOSE="1").expect_success().err.splitlines()
    loaded = {line.split("'")[1] for line in lines if line.startswith("import '")}

    needless = (
        *("adapters.console.rollout.progress", "domain.environment", "domain.git.remote_refs", "domain.image"),
        *("domain.ledger", "domain.text.token", "flows.environment_step", "flows.steps.tag"),
        *("ports.host", "ports.images", "ports.secrets"),
    )
    assert "kaizen_tasks.flows.steps.fast_forward_and_tag" in loaded
    assert sorted(loaded & {"cattrs", "git", "rich", *(f"kaizen_tasks.{name}" for name in needless)}) == []


def test_status_as_json_loads_nothing_of_other_commands(tmp_path: Path) -> None:
    heavy = ["rich", "statistics", "kaizen_tasks.domain.changelog", "kaizen_tasks.domain.runtime_config"]
    probe = "import sys; from kaizen_tasks.cli.handlers import status; from kaizen_tasks.adapters.aws import session"
    code = f"{probe}; session.Aws(region='eu-west-1', profile='', account='').sts(); {PROBE.partition('; ')[2]}"
    words = (sys.executable, "-c", code.format(heavy=heavy))
    result = workspaces.run(
        words, cwd=workspaces.EXAMPLE_APP, environ=workspaces.clean_environ(tmp_path)
    ).expect_success()
    assert result.out.split() == []
