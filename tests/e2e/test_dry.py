"""`inv --dry`: the plan, and not one byte of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

STEPS = [
    "preflight",
    "bump",
    "changelog",
    "commit",
    "build",
    "claim",
    "push",
    "fast-forward",
    "deploy",
    "verify",
    "smoke",
    "record",
    "tag",
]


def test_dry_release_lists_every_step(unreleased: Workspace) -> None:
    before = unreleased.all_files
    result = unreleased.inv("--dry", "release-staging").expect_success()
    assert [step.split()[0] for _, step in result.verdicts] == STEPS
    assert {verdict for verdict, _ in result.verdicts} == {"ok", "would"}
    assert "v0.2.1" in result.out
    assert unreleased.changed_files(before) == []


@pytest.mark.parametrize(
    "command",
    [
        "promote-prod",
        "promote-beta",
        "bump",
        "bump --part feature",
        "changelog.release",
        "commit",
        "build",
        "push --env staging",
        "deploy --env staging",
        "verify --env staging",
        "tag",
        "demo",
        "local.up",
        "local.down",
        "setup",
        "changelog.add --type fixed --text Typo",
    ],
)
def test_dry_run_changes_nothing(unreleased: Workspace, command: str) -> None:
    before = unreleased.all_files
    unreleased.inv("--dry", *command.split()).expect_success()
    assert unreleased.changed_files(before) == []


def test_dry_setup_lists_a_missing_table(copy: Workspace) -> None:
    file = copy.clone / "kaizen.toml"
    file.write_text(file.read_text().replace('app = "coach"', 'app = "new"'))
    before = copy.all_files
    result = copy.inv("--dry", "setup").expect_success()
    assert "kaizen-new" in result.out
    assert copy.changed_files(before) == []
