"""The app's folder may have any name, and commands work in any folder below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e


def test_release_from_a_path_with_spaces_and_accents(create_app: Callable[..., Workspace], tmp_path: Path) -> None:
    workspace = create_app(tmp_path / "Jürgen's  müesli & co 走る")
    workspace.inv("release-staging").expect_success()
    staging = workspace.inv("status", "--json").document["environments"]["staging"]
    assert (staging["running"]["version"], staging["drift"]) == ("v0.2.0", [])


@pytest.mark.parametrize("program", ["inv", "kaizen"])
def test_app_is_found_from_a_subfolder(copy: Workspace, program: str) -> None:
    copy.add_changelog_entry("A typo")
    type_in = copy.inv if program == "inv" else copy.kaizen
    result = type_in("--dry", "release-staging", cwd=copy.clone / "coach" / "static").expect_success()
    assert "v0.2.1" in result.out
    assert type_in("bump", cwd=copy.clone / "coach").code == 0
    assert (copy.clone / "VERSION").read_text() == "0.2.1\n"
    assert not (copy.clone / "coach" / "VERSION").exists()


def test_commit_from_a_subfolder(workspace: Workspace) -> None:
    below = workspace.clone / "coach"
    workspace.inv("release-staging", cwd=below).expect_success()
    assert workspace.git("status", "--porcelain") == ""
    assert workspace.git("show", "--name-only", "--format=", "v0.2.0^{commit}").split() == ["CHANGELOG.md", "VERSION"]
