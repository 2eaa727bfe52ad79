"""Single tasks chained on one command line pass state through files, refs and AWS, not through memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workspaces import mutating_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

CHAIN = "bump changelog.release commit build push --env staging deploy --env staging verify --env staging tag"
PROD = "[environments.prod]\nprotected = true\n"


def test_chained_tasks_make_a_release(create_app: Callable[..., Workspace]) -> None:
    workspace = create_app(further=PROD)
    workspace.inv("release-staging").expect_success()
    workspace.add_changelog_entry("A typo")
    workspace.inv(*CHAIN.split()).expect_success()
    staging = workspace.inv("status", "--json").document["environments"]["staging"]
    assert (staging["image_tag"], staging["ledger"]["event"], staging["drift"]) == ("v0.2.1", "verified", [])
    assert workspace.git("tag").split() == ["v0.2.0", "v0.2.1"]
    assert workspace.git("--git-dir", str(workspace.remote), "rev-parse", "main") == workspace.git(
        "rev-parse", "v0.2.1^{commit}"
    )
    assert workspace.git("status", "--porcelain") == ""
    assert_nothing_is_left_for_the_flow(workspace)
    assert_only_planned_before_it_is_promoted(workspace)


def assert_nothing_is_left_for_the_flow(workspace: Workspace) -> None:
    """Check that the flow has nothing left to do."""
    asked = len(workspace.requests)
    result = workspace.inv("release-staging").expect_success()
    assert {verdict for verdict, _ in result.verdicts} == {"ok", "already done"}
    assert mutating_operations(workspace.requests[asked:]) == []


def assert_only_planned_before_it_is_promoted(workspace: Workspace) -> None:
    """Check that a dry promotion changes nothing, and that a real one runs the steps it listed."""
    before = workspace.all_files
    planned = workspace.inv("--dry", "promote-prod").expect_success()
    assert workspace.changed_files(before) == []
    assert [step for verdict, step in planned.verdicts if verdict == "would"] == [
        f"{step} prod" for step in ("copy", "deploy", "verify", "record")
    ]
    done = workspace.inv("promote-prod", "--yes").expect_success()
    acted = [step for verdict, step in done.verdicts if verdict == "done"]
    assert acted == [step for verdict, step in planned.verdicts if verdict == "would"]


def test_chain_stops_at_the_first_failed_task(workspace: Workspace) -> None:
    result = workspace.inv("bump", "changelog.release", "commit", "push", "--env", "staging", "tag")
    assert result.code == 5
    assert workspace.git("tag") == ""
