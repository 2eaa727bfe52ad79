"""The apps in which mistakes are made."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.rehearsal import example
from tests.errors.app import App
from tests.support.git_repository import make_repository
from tests.support.workspaces import EXAMPLE_APP

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

CONFIGURATION = """\
app = "web"
pipeline = ["staging", "prod", "beta"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["true"]

[runtime]
visible = ["KEY"]
[runtime.keys]
KEY.type = "string"
A.type = "string"
B.type = "string"

[environments.staging]
[environments.prod]
protected = true
[environments.mark]
[environments.dom]

[groups]
beta = ["mark", "dom"]
"""
CHANGELOG = """\
# Changelog

## [Unreleased]

### Fixed

- A typo

## [0.1.0] - 2026-01-01

### Added

- All
"""
FILES = {
    "kaizen.toml": CONFIGURATION,
    "VERSION": "0.1.0\n",
    "CHANGELOG.md": CHANGELOG,
    "Dockerfile": "FROM scratch\nARG VERSION\n",
    "app.py": "print('hello')\n",
    "tasks.py": "from kaizen_tasks import namespace\n",
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an app whose v0.1.0 is released, and which has one unreleased entry; tests take copies of the folder."""
    folder = tmp_path_factory.mktemp("template")
    repository = make_repository(folder, {name: content.encode() for name, content in FILES.items()}, name="web")
    repository.git("config", "user.name", "Ada Author")
    repository.git("config", "user.email", "ada@example.com")
    repository.git("tag", "--annotate", "--message", "0.1.0", "v0.1.0")
    repository.git("push", "--quiet", "origin", "v0.1.0")
    repository.git("remote", "set-url", "origin", "../remote.git")
    return folder


@pytest.fixture
def app(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Return a copy of the app, whose folder is the working directory."""
    folder = shutil.copytree(template, tmp_path / "work", symlinks=True)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))  # git would replace /dev/null
    monkeypatch.chdir(folder / "web")
    monkeypatch.syspath_prepend(str(folder / "web"))
    return App(clone=folder / "web", remote=folder / "remote.git")


CLOUD_CONFIGURATION = """\
app = "errors"
pipeline = ["staging", "prod"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["python", "-m", "coach"]

[environments.staging]
[environments.prod]
protected = true
[environments.mark]
[environments.eve]
[environments.zoe]

[verify]
matches = 1
interval = "20ms"
timeout = "1m"

[runtime]
visible = ["MODEL"]
[runtime.keys]
MODEL.type = "string"
"""


@pytest.fixture(scope="session")
def deployed(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release an app to staging in the shared local cloud, and note a change; tests take copies of the folder."""
    folder = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environ.items():
            patch.setenv(name, value)
        example.create_example_repo(folder, EXAMPLE_APP)
        app = App(clone=folder / "coach", remote=folder / "coach.git")
        patch.chdir(app.clone)
        patch.syspath_prepend(str(app.clone))
        app.clone.joinpath("kaizen.toml").write_text(CLOUD_CONFIGURATION)
        for line in (
            "git commit --quiet --all --message Name && git push --quiet",
            f"inv local.up --state {cloud.state}",
            "inv release-staging",
            "inv changelog.add --type fixed --text 'A typo'",
            "git commit --quiet --all --message Typo && git remote set-url origin ../coach.git",
        ):
            result = app.type(line)
            assert result.code == 0, result
    return folder


@pytest.fixture
def deployed_app(deployed: Path, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Return a copy of the app that is deployed, whose folder is the working directory."""
    folder = shutil.copytree(deployed, tmp_path / "work", symlinks=True)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.chdir(folder / "coach")
    monkeypatch.syspath_prepend(str(folder / "coach"))
    return App(clone=folder / "coach", remote=folder / "coach.git")
