"""A deployment to ECS that is killed and run again ends in the same state; `nox -s crash` tries every kill point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import cluster_cases
from tests.crash.campaign import RolloutCases, prepare_rollouts
from tests.crash.cloud_fork_server import CloudForkServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def promotion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RolloutCases]:
    """A promotion to another account, recorded."""
    folder, configuration = tmp_path_factory.mktemp("crash"), cluster_cases.sample_configuration()
    with CloudForkServer() as fork_server:
        yield prepare_rollouts(folder, fork_server, cluster_cases.CLUSTER_SAMPLE, configuration)


def test_deployment_keeps_variables_secrets_and_tags(promotion: RolloutCases) -> None:
    (outcome,) = promotion.outcomes.values()
    prod = outcome.cluster["prod-web-service"]

    assert (prod["deployments"], prod["task definitions"]) == (("SUCCESSFUL", "SUCCESSFUL"), 2)
    for name in ("ENVIRONMENT", "TOKEN", "coach"):
        assert f'"{name}"' in str(prod["settings"])


@pytest.mark.parametrize("label", ["ecs RegisterTaskDefinition", "ecs UpdateService"])
def test_promotion_that_is_killed_before_it_sees_the_answer_deploys_once(
    promotion: RolloutCases, label: str, tmp_path: Path
) -> None:
    (point,) = (each for each in promotion.points if (each.label, each.phase) == (label, "after"))

    assert promotion.kill_and_rerun(point, tmp_path / "copy") == ()
