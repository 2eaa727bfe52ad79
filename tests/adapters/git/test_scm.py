"""Git and its fake keep the same contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.git.scenes import FakeScene, GitScene
from tests.contracts.scm import ScmContract

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.integration
class TestGitKeepsTheContract(ScmContract):
    @pytest.fixture
    def scene(self, tmp_path: Path) -> GitScene:
        return GitScene(tmp_path)


class TestFakeKeepsTheContract(ScmContract):
    @pytest.fixture
    def scene(self) -> FakeScene:
        return FakeScene()
