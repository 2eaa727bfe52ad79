"""The same commands, typed again: nothing is left to do, and nothing is done."""

from __future__ import annotations

import pytest

from tests.support.workspace import LOCK_JOURNAL, Workspace, mutating_operations

pytestmark = pytest.mark.e2e

CHECKS = {"preflight", "evidence"}


@pytest.mark.parametrize("command", ["release-staging", "promote-prod --yes", "promote-beta"])
def test_has_nothing_left_to_do(demo: Workspace, command: str) -> None:
    before, asked = demo.all_files, len(demo.requests)
    said = demo.inv(*command.split()).expect_success()
    assert said.verdicts
    wrong = [(verdict, step) for verdict, step in said.verdicts if verdict not in {verdict_of(step), "complete"}]
    assert wrong == []
    assert mutating_operations(demo.requests[asked:]) == []
    assert demo.changed_files(before, excluding=[LOCK_JOURNAL]) == []
    environments = demo.inv("status", "--json").document["environments"]
    assert [each["lock"] for each in environments.values()] == [None] * 5


def verdict_of(step: str) -> str:
    """Return what is said of a step that has nothing to do; checks look, and never act."""
    return "ok" if step.split(maxsplit=1)[0] in CHECKS else "already done"
