"""The scratch clone of the example app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host import process
from kaizen_tasks.config import load, validate
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import example

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def git(folder: Path, *words: str) -> str:
    """Return what git prints."""
    result = process.run(("git", *words), cwd=folder)
    assert result.ok, result
    return result.out.strip()


def files(folder: Path) -> set[str]:
    """Return the files below a folder, without those of git and Python."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in paths if not {".git", "__pycache__"} & {*path.parts}}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app to copy."""
    folder = tmp_path / "app"
    (folder / "src" / "__pycache__").mkdir(parents=True)
    (folder / "VERSION").write_text("0.1.0\n")
    (folder / "src" / "page.py").write_text("")
    (folder / "src" / "__pycache__" / "page.pyc").write_text("")
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_the_example_app_has_what_a_release_needs() -> None:
    assert files(example.find_example_app()) >= {"VERSION", "CHANGELOG.md", "Dockerfile", "kaizen.toml", "tasks.py"}


def test_the_example_is_committed_and_pushed(work: Path, app: Path) -> None:
    clone, remote = example.create_example_repo(work, app)

    assert files(clone) == {"VERSION", "src/page.py"}
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD") == git(remote, "rev-parse", "main")
    assert git(clone, "rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    assert git(remote, "rev-parse", "--is-bare-repository") == "true"


@pytest.mark.parametrize("platform", ["ecs-express", "ecs"])
def test_every_environment_of_the_example_runs_on_the_platform(work: Path, platform: str) -> None:
    clone, _ = example.create_example_repo(work, example.find_example_app(), platform=platform)

    settings = load.read_config_file(clone)
    assert settings is not None
    assert (
        validate.build_settings(settings, load.with_defaults(settings.table)).environments["prod"].platform == platform
    )
    assert git(clone, "status", "--porcelain") == ""


def test_later_environments_of_the_example_are_in_another_account_and_region(work: Path) -> None:
    clone, _ = example.create_example_repo(work, example.find_example_app(), accounts=True)

    config = load.read_config_file(clone)
    assert config is not None
    environments = validate.build_settings(config, load.with_defaults(config.table)).environments
    home, *others = (each.target for each in environments.values())
    assert (home.account, home.region, home.role) == ("123456789012", "eu-west-1", "")
    assert {(each.account, each.region) for each in others} == {("210987654321", "eu-central-1")}
    assert {each.role for each in others} == {"arn:aws:iam::210987654321:role/coach-release"}


def test_the_example_has_its_own_author_and_no_signing(work: Path, app: Path) -> None:
    clone, _ = example.create_example_repo(work, app)

    assert git(clone, "log", "-1", "--format=%an <%ae>") == "Coach Team <team@coach.example>"
    assert git(clone, "config", "commit.gpgSign") == "false"


def test_global_hooks_do_not_run_in_the_example(
    work: Path, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        (hooks / name).chmod(0o755)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f"[core]\n\thooksPath = {hooks}\n[tag]\n\tgpgSign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))

    clone, remote = example.create_example_repo(work, app)
    git(clone, "commit", "--allow-empty", "--message", "Work")
    git(clone, "tag", "--annotate", "v0.1.0", "--message", "web v0.1.0")

    assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD~")


def test_the_installed_example_is_not_changed(work: Path, app: Path) -> None:
    before = files(app)

    example.create_example_repo(work, app)

    assert files(app) == before
    assert not (app / ".git").exists()


def test_missing_git_is_refused(work: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Refused, match="git"):
        example.create_example_repo(work, app)


def test_a_git_failure_names_the_command_and_its_message(work: Path, app: Path) -> None:
    (work / "coach.git").write_text("somebody's file")

    with pytest.raises(KaizenError, match="git init failed in the scratch clone: "):
        example.create_example_repo(work, app)
