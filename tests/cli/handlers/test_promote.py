"""Promotions and deployments as they are typed: evidence, going without it, and shards."""

from __future__ import annotations

from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import commands
from kaizen_tasks.cli.error_text import LABEL
from kaizen_tasks.domain.service import OperationState
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

BETA = commands.promote_task("beta")
PROD = commands.promote_task("prod")


def world(monkeypatch: pytest.MonkeyPatch, **changes: object) -> FakeTools:
    """Return the tools of every command; staging has v0.2.0, verified."""
    made = FakeTools(settings=settings(**changes))
    release(made)
    made.next_command()
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: made)
    return made


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """The usual world."""
    return world(monkeypatch)


def typed(task: Any, **flags: object) -> str:
    """Type a command that fails, and return its error."""
    with pytest.raises(Exit) as left:
        task.body(Context(), **flags)
    return f"{left.value.code}: {(left.value.message or '').removeprefix(LABEL)}"


def reasons(tools: FakeTools, environment: str) -> set[str]:
    """Return every reason that the ledger has of an environment."""
    return {entry.reason for entry in tools.ledger.entries(environment)}


def test_deployment_without_evidence_is_refused_before_confirmation(tools: FakeTools) -> None:
    tools.ledger.all_entries.clear()
    calls = list(tools.registry.calls)

    said = typed(commands.deploy, env=["prod"], release="0.2.0")

    assert said.startswith("3: prod: v0.2.0 was never verified in staging\nnothing has been changed\n")
    assert tools.registry.calls == calls


def test_deployment_takes_the_digest_that_the_previous_stage_verified(tools: FakeTools) -> None:
    commands.deploy.body(Context(), env=["prod"], release="0.2.0", yes=True)

    assert tools.running_versions["prod"] == "v0.2.0"


@pytest.mark.parametrize(
    ("task", "flags"), [(commands.deploy, {"env": ["prod"]}), (commands.promote, {"env": ["prod"]}), (PROD, {})]
)
def test_reason_for_missing_evidence_is_printed_and_recorded(
    tools: FakeTools, task: Any, flags: dict[str, object]
) -> None:
    tools.ledger.all_entries.clear()

    task.body(Context(), **flags, release="0.2.0", yes=True, without_evidence="the login is down")

    assert tools.running_versions["prod"] == "v0.2.0"
    assert reasons(tools, "prod") == {"without evidence: the login is down"}
    assert "without evidence, for the ledger: the login is down" in tools.reporter.lines


def test_promotion_without_evidence_may_skip_a_stage(tools: FakeTools) -> None:
    """The image comes from the repository that has it."""
    for task in (commands.deploy, commands.promote):
        task.body(Context(), env=["mark"], release="0.2.0", without_evidence="a fix for Mark")

    assert (tools.running_versions["mark"], tools.running_versions["prod"]) == ("v0.2.0", "v0.1.0")


@pytest.mark.usefixtures("tools")
def test_reason_for_missing_evidence_is_not_a_confirmation() -> None:
    assert "prod is protected" in typed(PROD, release="0.2.0", without_evidence="the login is down")


@pytest.mark.usefixtures("tools")
def test_reason_for_missing_evidence_needs_the_release_that_it_is_about() -> None:
    """After a rollback, the one that is serving is not the one that someone wants to promote."""
    said = typed(PROD, yes=True, without_evidence="the login is down")

    assert said.startswith("2: --without-evidence needs a release\n")


def test_promotion_waits_for_the_minimum_age_of_its_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = world(monkeypatch, evidence={"min_age": "1h"})

    assert "3: prod: v0.2.0 was verified in staging" in typed(PROD, yes=True)
    tools.clock.advance(3600)
    PROD.body(Context(), yes=True)

    assert tools.running_versions["prod"] == "v0.2.0"


def test_shards_run_after_the_canary_and_cover_all_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the rest of the bake."""
    tools = world(monkeypatch, rollout={"bake": "10m"})
    PROD.body(Context(), yes=True)

    assert "v0.2.0 is not verified in the canary yet: mark" in typed(BETA, shard="2/2")
    commands.promote.body(Context(), env=["mark"])
    tools.clock.advance(60)
    BETA.body(Context(), shard="2/2")
    BETA.body(Context(), shard="1/2")

    assert tools.running_versions == dict.fromkeys(tools.running_versions, "v0.2.0")
    assert tools.clock.sleeps.count(540) == 1
    assert "shard 2/2 of beta (2 of 3 environments): shane, dom" in tools.reporter.lines
    assert "waiting 9m for the canaries to bake" in tools.reporter.lines


def test_resume_command_repeats_every_flag(tools: FakeTools) -> None:
    commands.promote.body(Context(), env=["mark"], release="0.2.0", without_evidence="a fix")
    tools.platform.outcomes["shane-web-service"] = OperationState.FAILED
    flags = {"shard": "2/2", "release": "0.2.0", "without_evidence": "a fix", "skip_held": True, "no_rollback": True}

    said = typed(commands.promote, env=["mark", "beta"], **flags)

    what, state, hint = said.split("\n")
    assert what.startswith("9: mark, beta shard 2/2: 1 of 2 environments does not have v0.2.0")
    assert state == "done: dom; failed: shane"
    assert hint == (
        "continue: inv promote --env mark --env beta --release v0.2.0 --shard 2/2 --without-evidence 'a fix'"
        " --skip-held --no-rollback"
    )


@pytest.mark.parametrize(("task", "flags"), [(BETA, {}), (commands.rollback, {"env": ["beta"]})])
def test_empty_shard_succeeds(tools: FakeTools, task: Any, flags: dict[str, object]) -> None:
    """There may be more machines than environments."""
    task.body(Context(), **flags, shard="3/4")

    assert tools.reporter.lines == ["shard 3/4 of beta (0 of 3 environments): none, so there is nothing to do"]
    assert tools.platform.started_services == ["staging-web-service"]


@pytest.mark.parametrize("shard", ["0/4", "5/4", "a/b", ""])
@pytest.mark.parametrize("task", [BETA, commands.promote, commands.rollback])
@pytest.mark.usefixtures("tools")
def test_invalid_shard_is_a_usage_error(task: Any, shard: str) -> None:
    flags = {} if task is BETA else {"env": ["beta"]}

    assert typed(task, **flags, shard=shard).startswith("2: --shard")
