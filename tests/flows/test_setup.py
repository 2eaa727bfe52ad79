"""The setup flow."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows import setup
from kaizen_tasks.flows.runner import dry_run_step
from tests.fakes.account import IMMUTABLE_VERSIONS
from tests.fakes.tools import FakeTools

MUTABLE = TagMutability(mutability="MUTABLE")
NAMES = ("staging", "prod", "mark", "shane", "dom")


@pytest.fixture
def tools() -> FakeTools:
    """An account in which nothing of ours is there yet."""
    tools = FakeTools()
    tools.account.table_state = evolve(tools.account.table_state, exists=False, point_in_time_recovery=False)
    tools.account.is_mounting_blobs = False
    tools.account.rules.update(dict.fromkeys(tools.account.rules, MUTABLE))
    return tools


def test_setup_creates_what_is_missing(tools: FakeTools) -> None:
    setup.run_setup(setup.setup_flow(tools.settings.environments.values()), tools)

    assert tools.account.table_state.point_in_time_recovery
    assert tools.account.is_mounting_blobs
    assert set(tools.account.rules.values()) == {IMMUTABLE_VERSIONS}
    assert tools.reporter.labels_with("acted") == ["ledger", "blob mounting", *(f"tags {name}" for name in NAMES)]


def test_setup_is_idempotent(tools: FakeTools) -> None:
    flow = setup.setup_flow(tools.settings.environments.values())
    setup.run_setup(flow, tools)
    before = list(tools.account.changes)

    setup.run_setup(flow, tools)

    assert tools.account.changes == before
    assert setup.pending_steps(flow, tools) == ()


def test_setup_dry_run_changes_nothing(tools: FakeTools) -> None:
    setup.run_setup(setup.setup_flow(tools.settings.environments.values()), tools, dry_run_step)

    assert tools.account.changes == []
    assert len(tools.reporter.labels_with("act")) == 2 + len(NAMES)


def test_setup_turns_on_point_in_time_recovery(tools: FakeTools) -> None:
    tools.account.table_state = evolve(tools.account.table_state, exists=True)

    (_, what), *_ = setup.pending_steps(setup.setup_flow(tools.settings.environments.values()), tools)
    setup.run_setup(setup.setup_flow(tools.settings.environments.values()), tools)

    assert "point-in-time recovery" in what
    assert tools.account.table_state.point_in_time_recovery


def test_setup_names_every_lookup_that_fails(tools: FakeTools) -> None:
    for name in ("mark-web-app", "dom-web-app"):
        del tools.account.rules[name]

    with pytest.raises(Refused, match=r"repository mark-web-app; .* repository dom-web-app") as caught:
        setup.pending_steps(setup.setup_flow(tools.settings.environments.values()), tools)

    assert caught.value.state == "nothing has been changed"
    assert tools.account.changes == []
