"""Commands that are run a second time change nothing."""

from __future__ import annotations

import pytest

from tests.support.workspaces import LOCK_JOURNAL, Workspace, mutating_operations

pytestmark = pytest.mark.e2e

CHECKS = {"preflight", "evidence"}


@pytest.mark.parametrize(
    ("command", "locks"),
    [("release-staging", []), ("promote-prod --yes", []), ("promote-beta", ["TransactWriteItems"] * 2)],
    ids=["release", "promotion", "promotion to several"],
)
def test_second_run_changes_nothing(demo: Workspace, command: str, locks: list[str]) -> None:
    """Several locks are acquired in one transaction, and released in another."""
    before, asked = demo.all_files, len(demo.requests)
    result = demo.inv(*command.split()).expect_success()
    assert result.verdicts
    wrong = [(verdict, step) for verdict, step in result.verdicts if verdict not in {verdict_of(step), "complete"}]
    assert wrong == []
    assert mutating_operations(demo.requests[asked:]) == locks
    assert demo.changed_files(before, excluding=[LOCK_JOURNAL]) == []
    environments = demo.inv("status", "--json").document["environments"]
    assert [each["lock"] for each in environments.values()] == [None] * 5


def verdict_of(step: str) -> str:
    """Return the verdict of a step with nothing to do; checks never act, and are `ok`."""
    return "ok" if step.split(maxsplit=1)[0] in CHECKS else "already done"
