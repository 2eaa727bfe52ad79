"""`inv --dry`: the plan, and not one byte of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.worlds import World

pytestmark = pytest.mark.e2e

STEPS = [
    "preflight",
    "bump",
    "changelog",
    "commit",
    "build",
    "push",
    "land",
    "deploy",
    "verify",
    "smoke",
    "record",
    "tag",
]


def test_names_every_step_of_a_release(ahead: World) -> None:
    before = ahead.everything
    said = ahead.inv("--dry", "release-staging").well()
    assert [step.split()[0] for _, step in said.verdicts] == STEPS
    assert {verdict for verdict, _ in said.verdicts} == {"ok", "would"}
    assert "v0.2.1" in said.out
    assert ahead.changed(before) == []


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
def test_changes_nothing(ahead: World, command: str) -> None:
    before = ahead.everything
    ahead.inv("--dry", *command.split()).well()
    assert ahead.changed(before) == []


def test_shows_the_plan_of_a_table_that_is_missing(copy: World) -> None:
    file = copy.clone / "kaizen.toml"
    file.write_text(file.read_text().replace('app = "coach"', 'app = "new"'))
    before = copy.everything
    said = copy.inv("--dry", "setup").well()
    assert "kaizen-new" in said.out
    assert copy.changed(before) == []
