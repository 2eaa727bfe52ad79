"""The setup flow."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.tag_mutability import Mutability, TagMutability
from kaizen_tasks.errors import Denied, Interrupted, KaizenError, NotFound, Refused, Unsupported
from kaizen_tasks.flows import setup
from kaizen_tasks.flows.runner import dry_run_step
from tests.fakes.account import IMMUTABLE_VERSIONS, FakeAccountAdmin
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
    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert tools.account.table_state.point_in_time_recovery
    assert tools.account.is_mounting_blobs
    assert set(tools.account.rules.values()) == {IMMUTABLE_VERSIONS}
    assert tools.reporter.labels_with("acted") == ["ledger", "blob mounting", *(f"tags {name}" for name in NAMES)]


def test_setup_is_idempotent(tools: FakeTools) -> None:
    flow = setup.setup_flow([*tools.settings.environments.values()])
    setup.run_setup(flow, tools)
    before = list(tools.account.changes)

    setup.run_setup(flow, tools)

    assert tools.account.changes == before
    assert setup.pending_steps(flow, tools) == ()


def test_setup_dry_run_changes_nothing(tools: FakeTools) -> None:
    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools, dry_run_step)

    assert tools.account.changes == []
    assert len(tools.reporter.labels_with("act")) == 2 + len(NAMES)


def test_setup_turns_on_point_in_time_recovery(tools: FakeTools) -> None:
    tools.account.table_state = evolve(tools.account.table_state, exists=True)

    (_, what), *_ = setup.pending_steps(setup.setup_flow([*tools.settings.environments.values()]), tools)
    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert "point-in-time recovery" in what
    assert tools.account.table_state.point_in_time_recovery


def test_setup_names_every_lookup_that_fails(tools: FakeTools) -> None:
    for name in ("mark-web-app", "dom-web-app"):
        del tools.account.rules[name]

    with pytest.raises(Refused, match=r"repository mark-web-app; .* repository dom-web-app") as caught:
        setup.pending_steps(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert caught.value.state == "nothing has been changed"
    assert tools.account.changes == []


@pytest.mark.parametrize("error", [Unsupported("unknown operation"), Denied("not allowed")])
@pytest.mark.parametrize(
    ("question", "left", "done"),
    [
        ("is_blob_mounting_enabled", "blob mounting", ["ledger", *(f"tags {name}" for name in NAMES)]),
        ("ledger_table", "ledger", ["blob mounting", *(f"tags {name}" for name in NAMES)]),
    ],
)
def test_question_without_answer_stops_nothing_else(
    tools: FakeTools, question: str, left: str, done: list[str], error: KaizenError
) -> None:
    tools.account.failures[question] = error
    flow = setup.setup_flow([*tools.settings.environments.values()])

    pending = [str(step.label) for step, _ in setup.pending_steps(flow, tools)]
    setup.run_setup(flow, tools)

    assert pending == tools.reporter.labels_with("acted") == done
    assert f"  left as it is: {left}: {error.message}" in tools.reporter.lines


def test_tags_are_left_mutable_where_the_cloud_keeps_no_exceptions(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some emulators accept them and forget them, which would leave a repository that no deployment can use."""
    set_rules = FakeAccountAdmin.set_tag_mutability

    def forget_filters(account: FakeAccountAdmin, repository: str, rules: TagMutability) -> None:
        mutability: Mutability = "MUTABLE" if rules.mutability == "MUTABLE" else "IMMUTABLE"
        set_rules(account, repository, TagMutability(mutability=mutability))

    monkeypatch.setattr(FakeAccountAdmin, "set_tag_mutability", forget_filters)

    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert set(tools.account.rules.values()) == {MUTABLE}
    assert any(line.startswith("  left as it is: tags staging: this cloud keeps no") for line in tools.reporter.lines)


def test_change_that_is_denied_stops_no_other_and_is_reported(tools: FakeTools) -> None:
    tools.account.failures["create_table"] = Denied("cannot create the table", hint="ask for this permission")

    with pytest.raises(Interrupted, match="cannot create the table") as caught:
        setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert caught.value.state.startswith("done: blob mounting, tags staging")
    assert tools.account.is_mounting_blobs


def test_recovery_that_cannot_be_looked_at_is_no_change(tools: FakeTools) -> None:
    tools.account.table_state = evolve(tools.account.table_state, exists=True, point_in_time_recovery=None)

    setup.run_setup(setup.setup_flow([*tools.settings.environments.values()]), tools)

    assert "ledger" in tools.reporter.labels_with("done")


def test_missing_repository_names_both_ways_to_create_it(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]
    del tools.account.rules[staging.repository]

    with pytest.raises(NotFound) as refused:
        setup.ProtectTags(environment=staging).decide(setup.PLACEHOLDER_RELEASE, tools)

    assert refused.value.hint == "create it; or like that of prod: inv setup --env staging --create --like prod"
