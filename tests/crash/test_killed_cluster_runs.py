"""A deployment to ECS that is killed and run again ends in the same state; `nox -s crash` tries every kill point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import cluster_cases
from tests.crash.campaign import RolloutCases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.cloud_fork_server import CloudForkServer

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def promotion(fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory) -> RolloutCases:
    """Return a promotion to another account."""
    return RolloutCases(
        folder=tmp_path_factory.mktemp("crash"),
        fork_server=fork_server,
        cases=cluster_cases.CLUSTER_SAMPLE,
        configuration=cluster_cases.sample_configuration(),
    )


def test_deployment_keeps_variables_secrets_and_tags(promotion: RolloutCases) -> None:
    prod = promotion.outcome("ecs-promote").cluster["prod-web-service"]

    assert (prod["deployments"], prod["task definitions"]) == (("SUCCESSFUL", "SUCCESSFUL"), 2)
    for name in ("ENVIRONMENT", "TOKEN", "coach"):
        assert f'"{name}"' in str(prod["settings"])


@pytest.mark.parametrize("label", ["ecs RegisterTaskDefinition", "ecs UpdateService"])
def test_promotion_that_is_killed_before_it_sees_the_answer_deploys_once(
    promotion: RolloutCases, label: str, tmp_path: Path
) -> None:
    (point,) = (each for each in promotion.points if (each.label, each.phase) == (label, "after"))

    assert promotion.kill_and_rerun(point, tmp_path / "copy") == ()
