"""The last line of a command that has changed environments."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.line import Line
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.flows.outcome import next_promotion, serving
from tests.fakes.tools import settings

RELEASE = Release(version=Version.parse("1.2.3"))


def environment(name: str) -> Environment:
    """Return an environment."""
    return Environment(name=name, platform="apprunner", repository=name, service=name)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("staging", "staging serves v1.2.3"),
        ("mark shane dom", "mark, shane, dom serve v1.2.3"),
        ("a b c d e", "a, b, c and 2 more serve v1.2.3"),
    ],
)
def test_first_environments_are_named(names: str, text: str) -> None:
    assert serving(RELEASE, map(environment, names.split())) == text


@pytest.mark.parametrize(
    ("stage", "command"), [("staging", "next: inv promote-prod"), ("prod", "next: inv promote-beta"), ("beta", "")]
)
def test_next_stage_of_the_pipeline_comes_next(stage: str, command: str) -> None:
    team = settings()

    assert next_promotion(team.stage(stage), RELEASE, team) == command


def test_part_of_a_stage_is_not_promoted_further() -> None:
    team = settings()
    part = evolve(team.stage("prod"), name="prod, mark")

    assert next_promotion(part, RELEASE, team) == ""


def test_promotion_that_must_wait_says_how_long() -> None:
    team = settings()
    prod = evolve(team.environments["prod"], min_age=Seconds(3600))
    waiting = evolve(team, environments={**team.environments, "prod": prod})

    assert next_promotion(team.stage("staging"), RELEASE, waiting) == "next, in 1h: inv promote-prod"


def test_release_of_a_line_goes_to_the_stage_that_stays_on_it() -> None:
    team = evolve(settings(), lines=(Line(name="1.x", branch="stable/1.x", environments=("mark",)),))

    assert next_promotion(team.stage("staging"), RELEASE, team) == "next: inv promote-beta --release v1.2.3"
