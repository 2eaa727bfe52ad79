"""Rollbacks do not go behind a command that cannot be undone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.errors import Refused, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.rollback.manual import plan_rollback
from kaizen_tasks.flows.runner import run_flow
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release
from tests.flows.rollback.test_rollback import note_a_fix, release_or_go_back

MIGRATE: Mapping[str, object] = {"name": "migrate", "command": ["migrate"], "reversible": False}
BEHIND = "v0.2.0 would go behind migrate of v0.2.1, which is irreversible and ran"


@pytest.fixture
def tools() -> FakeTools:
    """A world in which staging has verified v0.2.0 and then v0.2.1, each after a command that cannot be undone."""
    tools = FakeTools(
        settings=settings(defaults={"task": "commands", "subnets": ["subnet-1"]}, before_deploy=[MIGRATE])
    )
    release(tools)
    note_a_fix(tools)
    release(tools)
    return tools.next_command()


def go_back(tools: FakeTools, *, exception: str = "") -> None:
    """Type `inv rollback --env staging`."""
    staging = tools.settings.environments["staging"]
    change = plan_rollback((staging,), None, reason="slow", tools=tools, despite_irreversible=exception)
    execute_change(change, tools, confirm=lambda *_: None, command="inv rollback")


def test_rollback_is_refused(tools: FakeTools) -> None:
    with pytest.raises(Refused) as refused:
        go_back(tools)

    assert refused.value.message.startswith(f"staging: {BEHIND}")
    assert refused.value.state == "nothing has been changed"
    assert refused.value.hint.endswith('inv rollback --env staging --release v0.2.0 --despite-irreversible "reason"')
    assert tools.running_versions["staging"] == "v0.2.1"


def test_rollback_with_a_reason_goes_behind_it_and_the_ledger_has_the_reason(tools: FakeTools) -> None:
    go_back(tools, exception="it only adds a column")

    rollback = next(entry for entry in tools.ledger.entries("staging") if entry.event is Event.ROLLBACK)
    assert tools.running_versions["staging"] == "v0.2.0"
    assert rollback.reason == "slow; despite irreversible commands: it only adds a column"


def test_rollback_that_has_begun_is_finished_without_the_reason(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]
    target = entries.release_from_entry(_verified(tools, "v0.2.0"))
    run_flow(catalogue.rollback(staging, reason="slow")[:1], target, tools)

    go_back(tools.next_command())

    assert tools.running_versions["staging"] == "v0.2.0"


def test_release_that_was_verified_after_the_command_may_come_back(tools: FakeTools) -> None:
    entry = evolve(_verified(tools, "v0.2.0"), number=0)
    tools.ledger.append(entry)
    tools.ledger.append(evolve(_verified(tools, "v0.2.1"), number=0))

    go_back(tools)

    assert tools.running_versions["staging"] == "v0.2.0"


def test_command_that_failed_or_can_be_undone_does_not_stand_in_the_way(tools: FakeTools) -> None:
    for index, entry in enumerate(tools.ledger.all_entries):
        if entry.event is Event.COMMAND_SUCCEEDED and entry.version == "v0.2.1":
            tools.ledger.all_entries[index] = evolve(entry, event=Event.COMMAND_FAILED)

    go_back(tools)

    assert tools.running_versions["staging"] == "v0.2.0"


def test_command_whose_outcome_nobody_knows_stands_in_the_way(tools: FakeTools) -> None:
    tools.ledger.all_entries[:] = [
        entry
        for entry in tools.ledger.all_entries
        if entry.event is not Event.COMMAND_SUCCEEDED or entry.version != "v0.2.1"
    ]

    with pytest.raises(Refused, match="which is irreversible and was started"):
        go_back(tools)


def test_automatic_rollback_leaves_the_release_in_service_and_says_why(tools: FakeTools) -> None:
    note_a_fix(tools)
    tools.stuck_services.add("staging")

    with pytest.raises(VerifyFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.state.startswith(
        "v0.2.2 still serves, recorded as failed, as v0.2.1 would go behind migrate of"
    )
    assert '--release v0.2.1 --despite-irreversible "reason"' in failed.value.hint
    assert tools.latest("staging") == "v0.2.2"
    assert next(entry.event for entry in tools.ledger.entries("staging")) is Event.FAILED


def _verified(tools: FakeTools, version: str) -> LedgerEntry:
    entries = tools.ledger.entries("staging", limit=100)
    return next(entry for entry in entries if entry.event is Event.VERIFIED and entry.version == version)
