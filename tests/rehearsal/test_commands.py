"""Commands that run in a scratch clone."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.rehearsal import commands, example
from kaizen_tasks.rehearsal.local_cloud.cloud import clean_environ

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.integration


def run_show(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run_task(f"changelog.show {arguments}", folder, {}, stdout=subprocess.PIPE)


@pytest.mark.parametrize("has_tasks_file", [True, False])
def test_a_task_runs_in_the_clone_with_and_without_a_tasks_file(tmp_path: Path, *, has_tasks_file: bool) -> None:
    clone, _ = example.create_example_repo(tmp_path, example.find_example_app())
    if not has_tasks_file:
        (clone / "tasks.py").unlink()

    result = run_show(clone, "--format 'json'")

    assert result.returncode == 0
    assert json.loads(result.stdout)["version"] == (clone / "VERSION").read_text().strip()


def test_a_task_sees_no_variable_of_a_real_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real-account")
    monkeypatch.setenv("KAIZEN_LOCK", "token")
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    (tmp_path / "tasks.py").write_text(
        "from invoke import task\nimport os\n\n\n@task\ndef show(c):\n    print(os.environ.get('AWS_PROFILE'), "
        "os.environ.get('KAIZEN_LOCK'), os.environ.get('KAIZEN_EVENTS'), os.environ['ADDED'])\n"
    )
    monkeypatch.setenv("KAIZEN_EVENTS", "events")
    monkeypatch.chdir(tmp_path)

    result = commands.run_task("show", tmp_path, {"ADDED": "x"}, stdout=subprocess.PIPE)

    assert result.stdout == f"None None {tmp_path}/events x\n"


def test_tasks_of_a_rehearsal_have_no_token_for_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would publish what is only rehearsed."""
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    monkeypatch.setenv("CI_JOB_TOKEN", "t0ken")

    assert "t0ken" not in clean_environ().values()


def test_tasks_of_a_rehearsal_write_on_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "page")
    monkeypatch.setenv("BUILDKITE_AGENT_ACCESS_TOKEN", "page")

    assert "page" not in clean_environ().values()
