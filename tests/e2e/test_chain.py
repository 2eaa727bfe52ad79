"""Single tasks, chained on one command line: what flows between them is in the world, and not in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workspace import mutating_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e

CHAIN = "bump changelog.release commit build push --env staging deploy --env staging verify --env staging tag"
PROD = "[environments.prod]\nprotected = true\n"


def test_a_chain_of_single_tasks_is_a_release(establish: Callable[..., Workspace]) -> None:
    world = establish(further=PROD)
    world.inv("release-staging").expect_success()
    world.add_changelog_entry("A typo")
    world.inv(*CHAIN.split()).expect_success()
    staging = world.inv("status", "--json").document["environments"]["staging"]
    assert (staging["image_tag"], staging["ledger"]["event"], staging["drift"]) == ("v0.2.1", "verified", [])
    assert world.git("tag").split() == ["v0.2.0", "v0.2.1"]
    assert world.git("--git-dir", str(world.remote), "rev-parse", "main") == world.git("rev-parse", "v0.2.1^{commit}")
    assert world.git("status", "--porcelain") == ""
    assert_nothing_is_left_for_the_flow(world)
    assert_only_planned_before_it_is_promoted(world)


def assert_nothing_is_left_for_the_flow(world: Workspace) -> None:
    """Check that the flow finds everything done."""
    asked = len(world.requests)
    said = world.inv("release-staging").expect_success()
    assert {verdict for verdict, _ in said.verdicts} == {"ok", "already done"}
    assert mutating_operations(world.requests[asked:]) == []


def assert_only_planned_before_it_is_promoted(world: Workspace) -> None:
    """Check that a dry promotion names every step and changes nothing, and that a real one does what it named."""
    before = world.all_files
    planned = world.inv("--dry", "promote-prod").expect_success()
    assert world.changed_files(before) == []
    assert [step for verdict, step in planned.verdicts if verdict == "would"] == [
        f"{step} prod" for step in ("copy", "deploy", "verify", "record")
    ]
    done = world.inv("promote-prod", "--yes").expect_success()
    acted = [step for verdict, step in done.verdicts if verdict == "done"]
    assert acted == [step for verdict, step in planned.verdicts if verdict == "would"]


def test_a_chain_stops_where_a_task_fails(world: Workspace) -> None:
    said = world.inv("bump", "changelog.release", "commit", "push", "--env", "staging", "tag")
    assert said.code == 5
    assert world.git("tag") == ""
