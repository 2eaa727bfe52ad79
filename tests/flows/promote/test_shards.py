"""Shards of a rollout: which environments each has, and what comes before all of them."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.rollout import parse_shard
from kaizen_tasks.errors import Refused, RolloutFailed
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.promote import shards
from kaizen_tasks.flows.promote.rollout import Rollout, RolloutOptions
from kaizen_tasks.flows.steps import Record
from tests.fakes.tools import FakeTools, settings

RELEASE = Release(version=Version.parse("1.2.3"), commit="4f2a9c81", digest="sha256:" + "ab" * 32)
OTHER = evolve(RELEASE, version=Version.parse("1.2.2"), digest="sha256:" + "cd" * 32)


def names(stage: str, shard: str) -> list[str]:
    """Return the environments of a shard."""
    return [
        each.name for each in shards.shard_stage(FakeTools().settings.stage(stage), parse_shard(shard)).environments
    ]


@pytest.mark.parametrize(
    ("stage", "shard", "environments"),
    [
        ("beta", "1/1", ["mark", "shane", "dom"]),
        ("beta", "1/3", ["shane"]),
        ("beta", "2/3", ["mark"]),
        ("beta", "3/3", ["dom"]),
        ("beta", "1/2", ["mark"]),
        ("beta", "2/2", ["shane", "dom"]),
        ("prod", "1/2", []),
        ("prod", "2/2", ["prod"]),
    ],
)
def test_shard_keeps_the_order_of_its_environments(stage: str, shard: str, environments: list[str]) -> None:
    """It may be empty."""
    assert names(stage, shard) == environments


def write(tools: FakeTools, environment: str, event: Event, release: Release = RELEASE) -> None:
    """Write an entry, and let a minute pass."""
    entries.append(event, tools.settings.environments[environment], release, tools)
    tools.clock.advance(60)


def hold(environment: str, tools: FakeTools) -> Hold:
    """Return a hold of an environment."""
    return Hold(environment=environment, reason="race day", actor="mark@phone", since=tools.clock.now())


def bake_left(tools: FakeTools, stage: str = "beta") -> float:
    """Ask for how long a shard has to wait."""
    return shards.remaining_bake_seconds(tools.settings.stage(stage), RELEASE, tools)


@pytest.mark.parametrize(
    "said",
    [[], [(Event.DEPLOYED, RELEASE)], [(Event.VERIFIED, OTHER)], [(Event.VERIFIED, RELEASE), (Event.VERIFIED, OTHER)]],
)
def test_shard_is_refused_before_the_canary_verified_the_release(said: list[tuple[Event, Release]]) -> None:
    """Or when the canary was rolled back since."""
    tools = FakeTools()
    for event, release in said:
        write(tools, "mark", event, release)

    with pytest.raises(Refused, match=r"v1\.2\.3 is not verified in the canary yet: mark") as refused:
        bake_left(tools)

    assert refused.value.hint == "inv promote --env mark --release v1.2.3, then run the same command again"


def test_canary_is_the_first_environment_that_is_not_held() -> None:
    tools = FakeTools()
    tools.holds.add(hold("mark", tools))
    write(tools, "mark", Event.VERIFIED)

    with pytest.raises(Refused, match=r"not verified in the canary yet: shane\n"):
        bake_left(tools)
    write(tools, "shane", Event.VERIFIED)

    assert bake_left(tools) <= 0


def test_shard_waits_for_the_rest_of_the_bake() -> None:
    """Counted from the last of several canaries."""
    tools = FakeTools(settings=settings(rollout={"canary": 2, "bake": "5m"}))
    write(tools, "mark", Event.VERIFIED)
    write(tools, "shane", Event.VERIFIED)

    assert bake_left(tools) == 240
    tools.clock.advance(1000)
    assert bake_left(tools) <= 0


def test_canary_that_gets_another_release_while_it_bakes_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 1, "bake": "5m"}))
    write(tools, "mark", Event.VERIFIED)
    monkeypatch.setattr(tools.clock, "sleep", lambda _: write(tools, "mark", Event.STARTED, OTHER))

    with pytest.raises(Refused, match=r"in the canary yet: mark \(v1\.2\.2 started 1m ago by ada@laptop\)"):
        shards.wait_for_canary_bake(tools.settings.stage("beta"), RELEASE, tools)


@pytest.mark.parametrize(("stage", "canary"), [("prod", 1), ("beta", 0)])
def test_shard_does_not_wait_without_canaries(stage: str, canary: int) -> None:
    tools = FakeTools(settings=settings(rollout={"canary": canary, "bake": "5m"}))

    assert bake_left(tools, stage) <= 0


def rollout(tools: FakeTools, shard: str, *, skip_held: bool = False) -> Rollout:
    """Return the rollout of a shard, of which only the record is left to do."""
    return Rollout(
        stage=shards.shard_stage(tools.settings.stage("beta"), parse_shard(shard)),
        release=RELEASE,
        flow_for=lambda environment: (Record(environment=environment),),
        options=RolloutOptions(command=("promote-beta",), shard=parse_shard(shard), skip_held=skip_held),
    )


def run(rollout: Rollout, tools: FakeTools) -> None:
    """Run a rollout as a command."""
    execute_change(rollout.as_change("promote", tools), tools, confirm=lambda *_: None, command="")


def test_shard_has_no_canary_of_its_own() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 1, "bake": "5m"}))

    run(rollout(tools, "2/2"), tools)

    assert {entry.environment for entry in tools.ledger.all_entries} == {"shane", "dom"}
    assert tools.clock.sleeps == []


def test_shard_of_one_environment_leaves_it_out_when_it_is_held() -> None:
    tools = FakeTools()
    tools.holds.add(hold("mark", tools))

    run(rollout(tools, "1/2", skip_held=True), tools)
    with pytest.raises(RolloutFailed, match=r"beta shard 1/2: 1 of 1 environment does not have v1\.2\.3") as failed:
        run(rollout(tools, "1/2"), tools)

    assert failed.value.exit_code == 9
    assert failed.value.state == "held: mark"


@pytest.mark.parametrize(
    ("stage", "shard", "environments", "note"),
    [
        ("beta", "2/2", ["shane", "dom"], "shard 2/2 of beta (2 of 3 environments): shane, dom"),
        ("prod", "1/2", [], "shard 1/2 of prod (0 of 1 environments): none, so there is nothing to do"),
    ],
)
def test_selected_shard_is_reported(stage: str, shard: str, environments: list[str], note: str) -> None:
    tools = FakeTools()

    selected = shards.select_shard(tools.settings.stage(stage), parse_shard(shard), tools)

    assert [environment.name for environment in selected.environments] == environments
    assert tools.reporter.lines == [note]


def test_full_stage_is_selected_without_a_shard() -> None:
    tools = FakeTools()

    assert shards.select_shard(tools.settings.stage("beta"), None, tools) == tools.settings.stage("beta")
    assert tools.reporter.lines == []
