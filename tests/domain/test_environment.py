"""Environments, whatever release they get."""

from __future__ import annotations

from attrs import evolve

from kaizen_tasks.domain.command import BeforeDeployCommand
from kaizen_tasks.domain.text.duration import Seconds
from tests.fakes.tools import settings


def test_an_environment_with_the_commands_of_another_release_is_the_same_one() -> None:
    """It keeps its place in the pipeline."""
    configured = settings()
    command = BeforeDeployCommand(name="migrate", words=("migrate",), timeout=Seconds(60))
    environment = evolve(configured.environments["mark"], before_deploy=(command,))

    assert environment == configured.environments["mark"]
    assert environment != configured.environments["shane"]
    assert configured.stage_before(evolve(configured.stage("mark"), environments=(environment,))) == configured.stage(
        "prod"
    )
