"""`inv --dry`: the plan, and not one byte of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e

STEPS = [
    "preflight",
    "bump",
    "changelog",
    "commit",
    "build",
    "push",
    "fast-forward",
    "deploy",
    "verify",
    "smoke",
    "record",
    "tag",
]


def test_names_every_step_of_a_release(ahead: Workspace) -> None:
    before = ahead.all_files
    said = ahead.inv("--dry", "release-staging").expect_success()
    assert [step.split()[0] for _, step in said.verdicts] == STEPS
    assert {verdict for verdict, _ in said.verdicts} == {"ok", "would"}
    assert "v0.2.1" in said.out
    assert ahead.changed_files(before) == []


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
def test_changes_nothing(ahead: Workspace, command: str) -> None:
    before = ahead.all_files
    ahead.inv("--dry", *command.split()).expect_success()
    assert ahead.changed_files(before) == []


def test_shows_the_plan_of_a_table_that_is_missing(copy: Workspace) -> None:
    file = copy.clone / "kaizen.toml"
    file.write_text(file.read_text().replace('app = "coach"', 'app = "new"'))
    before = copy.all_files
    said = copy.inv("--dry", "setup").expect_success()
    assert "kaizen-new" in said.out
    assert copy.changed_files(before) == []
