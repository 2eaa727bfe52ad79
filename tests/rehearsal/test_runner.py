"""What a rehearsal types, and with which variables; `tests/e2e` has whole rehearsals."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal import runner
from kaizen_tasks.rehearsal.runner import RehearsalPlan
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

RELEASE, PROD, BETA = TRAIN = ("release-staging --yes", "promote-prod --yes", "promote-beta --yes")


def plan(work: Path, flow: str = "", **changes: object) -> RehearsalPlan:
    """Return the plan for a team's app."""
    return RehearsalPlan(
        settings=settings(**changes), flow=flow, engine="bundle", work=work, keep=False, out=io.StringIO()
    )


@pytest.mark.parametrize(
    ("flow", "commands"),
    [
        ("", TRAIN),
        ("release-staging", (RELEASE,)),
        ("promote-prod", (RELEASE, PROD)),
        ("hotfix --env mark", ("hotfix --env mark --yes",)),
        ("rollback --env prod --yes", (*TRAIN, "rollback --env prod --yes")),
        ("verify --env prod", (*TRAIN, "verify --env prod")),
    ],
)
def test_types_what_a_flow_stands_on_first(tmp_path: Path, flow: str, commands: tuple[str, ...]) -> None:
    """And answers every question with yes, where one may be asked."""
    assert plan(tmp_path, flow).commands == commands


def test_a_hotfix_starts_from_branches_of_its_own(tmp_path: Path) -> None:
    assert plan(tmp_path).branches == ("main",)
    assert plan(tmp_path, "hotfix --env mark").branches == ("hotfix/*",)


def test_nothing_is_waited_for_that_is_not_here(tmp_path: Path) -> None:
    """A time that is shorter stays."""
    slow = runner._environ_overrides(plan(tmp_path))
    quick = runner._environ_overrides(plan(tmp_path, verify={"timeout": "5s"}))

    assert (slow["INVOKE_VERIFY_TIMEOUT"], quick["INVOKE_VERIFY_TIMEOUT"]) == ("30s", "5s")
    assert {slow[f"INVOKE_{name}"] for name in ("ROLLOUT_BAKE", "EVIDENCE_MIN_AGE", "ENVIRONMENTS_PROD_MIN_AGE")} == {
        "0s"
    }


@pytest.mark.integration
def test_refuses_without_a_repository(tmp_path: Path) -> None:
    """Before anything is made."""
    work = tmp_path / "work"
    work.mkdir()
    made = plan(work)

    with pytest.raises(Refused, match="not in a git repository"):
        runner.run_rehearsal(evolve(made, settings=evolve(made.settings, root=tmp_path)))

    assert list(work.iterdir()) == []
