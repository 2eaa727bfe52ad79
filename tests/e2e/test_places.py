"""Where an app may stand: in a folder of any name, and its developer in any folder of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e


def test_releases_from_a_path_with_spaces_and_accents(establish: Callable[..., Workspace], tmp_path: Path) -> None:
    world = establish(tmp_path / "Jürgen's  müesli & co 走る")
    world.inv("release-staging").expect_success()
    staging = world.inv("status", "--json").document["environments"]["staging"]
    assert (staging["running"]["version"], staging["drift"]) == ("v0.2.0", [])


@pytest.mark.parametrize("program", ["inv", "kaizen"])
def test_finds_the_app_from_a_folder_below(copy: Workspace, program: str) -> None:
    copy.add_changelog_entry("A typo")
    type_in = copy.inv if program == "inv" else copy.kaizen
    said = type_in("--dry", "release-staging", cwd=copy.clone / "coach" / "static").expect_success()
    assert "v0.2.1" in said.out
    assert type_in("bump", cwd=copy.clone / "coach").code == 0
    assert (copy.clone / "VERSION").read_text() == "0.2.1\n"
    assert not (copy.clone / "coach" / "VERSION").exists()


def test_commits_a_change_from_a_folder_below(world: Workspace) -> None:
    below = world.clone / "coach"
    world.inv("release-staging", cwd=below).expect_success()
    assert world.git("status", "--porcelain") == ""
    assert world.git("show", "--name-only", "--format=", "v0.2.0^{commit}").split() == ["CHANGELOG.md", "VERSION"]
