"""A real repository with one pushed commit, and the adapter on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from tests.support.git_repository import ENVIRONMENT, Repository, make_repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fixed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "here")


@pytest.fixture
def scm(repository: Repository) -> GitScm:
    return GitScm(repository.path)
