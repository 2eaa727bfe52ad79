"""Stages, pipeline order and tag names of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.errors import UsageError
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Stage


def names(stage: Stage) -> list[str]:
    """Return the names of a stage's environments."""
    return [environment.name for environment in stage.environments]


@pytest.mark.parametrize(("name", "members"), [("staging", ["staging"]), ("beta", ["mark", "shane", "dom"])])
def test_a_stage_is_an_environment_or_a_group(name: str, members: list[str]) -> None:
    stage = settings().stage(name)

    assert (stage.name, names(stage)) == (name, members)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("stagin", "did you mean staging?"),
        ("bta", "did you mean beta?"),
        ("elsewhere", "choose from staging, prod, mark, shane, dom, beta"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_one(name: str, hint: str) -> None:
    """Or with the choice, when none is near."""
    with pytest.raises(UsageError, match=f"'{name}' is neither an environment nor a group") as refused:
        settings().stage(name)

    assert refused.value.hint == hint


def test_a_long_unknown_name_is_shortened() -> None:
    with pytest.raises(UsageError, match=f"^'{'e' * 64}…' is neither an environment nor a group"):
        settings().stage("e" * 300)


def test_a_configuration_without_environments_says_so() -> None:
    """A library has no environments."""
    library = settings(pipeline=[], environments={}, groups={})

    with pytest.raises(UsageError) as unknown:
        library.stage("staging")
    with pytest.raises(UsageError, match="no pipeline is configured") as nowhere:
        _ = library.first_stage

    assert unknown.value.hint == (
        'a release without environments: inv cut; to deploy, add pipeline = ["staging"] and [environments.staging] to '
        "kaizen.toml"
    )
    assert 'pipeline = ["staging"]' in nowhere.value.hint


def test_the_first_stage_may_be_a_group() -> None:
    """A release may go to several services first."""
    assert names(settings(pipeline=["beta"]).first_stage) == ["mark", "shane", "dom"]


@pytest.mark.parametrize(
    ("stage", "before"),
    [("staging", None), ("prod", "staging"), ("beta", "prod"), ("mark", "prod")],
)
def test_every_stage_but_the_first_has_a_stage_before_it(stage: str, before: str | None) -> None:
    """An environment inside a group has the group's place."""
    configured = settings()
    previous = configured.stage_before(configured.stage(stage))

    assert (previous.name if previous else None) == before


def test_an_environment_outside_the_pipeline_comes_after_the_first_stage() -> None:
    """It receives what the first stage has verified."""
    configured = settings(pipeline=["staging"])

    assert configured.stage_before(configured.stage("prod")) == configured.stage("staging")


def test_environments_of_different_stages_are_refused_together() -> None:
    """Prod must have verified what a tenant receives."""
    configured = settings()
    mixed = evolve(
        configured.stage("prod"),
        name="prod mark",
        environments=configured.stage("prod").environments + configured.stage("mark").environments,
    )

    with pytest.raises(UsageError, match="prod, mark are in different stages") as refused:
        configured.stage_before(mixed)

    assert "staging → prod → beta" in refused.value.message


def test_comma_separated_names_are_refused_with_repeated_flags() -> None:
    with pytest.raises(UsageError) as refused:
        settings().stage("prod,staging")

    assert refused.value.hint == "repeat --env: --env prod --env staging"


@pytest.mark.parametrize(
    ("template", "tag"), [("v{version}", "v1.2.3"), ("{version}", "1.2.3"), ("web/{version}-final", "web/1.2.3-final")]
)
def test_a_tag_is_named_as_configured(template: str, tag: str) -> None:
    """One repository may hold several apps."""
    assert settings(release={"tag": template}).git_tag(Version.parse("1.2.3")) == tag
