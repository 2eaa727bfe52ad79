"""What a rehearsal runs, and where it starts from."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.rehearsal.plan import RehearsalPlan, flag_values
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

RELEASE, PROD, BETA = PIPELINE = ("release-staging --yes", "promote-prod --yes", "promote-beta --yes")


def plan(
    work: Path, flow: str = "", *, engine: str = "docker", insists: bool = False, **changes: object
) -> RehearsalPlan:
    """Return the plan for a team's app."""
    return RehearsalPlan(
        settings=settings(**changes),
        flow=flow,
        engine=engine,
        insists=insists,
        work=work,
        keep=False,
        out=io.StringIO(),
    )


@pytest.mark.parametrize(
    ("flow", "commands"),
    [
        ("", PIPELINE),
        ("release-staging", (RELEASE,)),
        ("promote-prod", (PROD,)),
        ("hotfix --env mark", ("hotfix --env mark --yes",)),
        ("rollback --env prod --yes", ("rollback --env prod --yes",)),
        ("verify --env prod", ("verify --env prod",)),
    ],
)
def test_a_flow_runs_alone_and_confirms_everything(tmp_path: Path, flow: str, commands: tuple[str, ...]) -> None:
    assert plan(tmp_path, flow).commands_on("main") == commands


@pytest.mark.parametrize(
    ("flow", "names"),
    [
        ("promote-prod", "staging"),
        ("promote-beta", "staging prod"),
        ("promote --env shane", "staging prod"),
        ("promote -e prod --env=mark", "staging"),
        ("rollback --env prod", "staging prod mark shane dom"),
        ("ship-it", "staging prod mark shane dom"),
    ],
)
def test_a_promotion_starts_from_stages_before_it_that_have_the_newest_release(
    tmp_path: Path, flow: str, names: str
) -> None:
    assert plan(tmp_path, flow).environments_with_newest == tuple(names.split())
    assert not plan(tmp_path, flow).is_pipeline


@pytest.mark.parametrize("flow", ["", "release-staging --part patch"])
def test_a_release_starts_from_services_that_were_never_released_to(tmp_path: Path, flow: str) -> None:
    assert plan(tmp_path, flow).is_pipeline


@pytest.mark.parametrize(
    ("engine", "insists", "may"), [("docker", False, True), ("docker", True, False), ("bundle", False, False)]
)
def test_a_stand_in_replaces_an_engine_that_nobody_insists_on(
    tmp_path: Path, engine: str, *, insists: bool, may: bool
) -> None:
    assert plan(tmp_path, engine=engine, insists=insists).can_stand_in is may


def test_values_of_flags_are_found_in_all_their_forms() -> None:
    assert flag_values("deploy --env staging -e 'prod' --env=mark -r v1.2.3 --env", "--env", "-e") == (
        *("staging", "prod", "mark"),
    )


@pytest.mark.parametrize(
    ("branch", "environments", "commands"),
    [
        ("main", ["mark"], PIPELINE),
        ("main", ["mark", "shane", "dom"], (RELEASE, PROD)),
        ("stable/1.x", ["mark"], (RELEASE, "promote --env mark --yes")),
        ("stable/1.x", ["mark", "shane", "dom"], (RELEASE, PIPELINE[-1])),
        ("stable/1.x", [], PIPELINE),
    ],
)
def test_releases_of_a_line_are_promoted_to_its_environments_alone(
    tmp_path: Path, branch: str, environments: list[str], commands: tuple[str, ...]
) -> None:
    lines = {"1.x": {"branch": "stable/1.x", "environments": environments}}

    assert plan(tmp_path, lines=lines).commands_on(branch) == commands
    assert "stable/1.x" in plan(tmp_path, lines=lines).branches


def test_a_hotfix_starts_from_hotfix_branches(tmp_path: Path) -> None:
    assert plan(tmp_path).branches == ("main",)
    assert plan(tmp_path, "hotfix --env mark").branches == ("hotfix/*",)


def test_overrides_shorten_waits_and_keep_a_shorter_timeout(tmp_path: Path) -> None:
    overrides = plan(tmp_path).overrides
    short_timeout = plan(tmp_path, verify={"timeout": "5s"}).overrides["INVOKE_VERIFY_TIMEOUT"]

    assert (overrides["INVOKE_VERIFY_TIMEOUT"], short_timeout) == ("30s", "5s")
    for name in ("ROLLOUT_BAKE", "EVIDENCE_MIN_AGE", "ENVIRONMENTS_PROD_MIN_AGE"):
        assert overrides[f"INVOKE_{name}"] == "0s"


def test_the_landscape_has_stand_ins_whatever_builds_releases(tmp_path: Path) -> None:
    assert plan(tmp_path, build={"engine": "docker"}).landscape_settings.build.engine == "stand-in"
