"""The values of flags."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.cli import params
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import settings


@pytest.mark.parametrize(
    ("names", "stage", "environments"),
    [
        (["staging"], "staging", ["staging"]),
        (["beta"], "beta", ["mark", "shane", "dom"]),
        (["dom", "mark"], "dom, mark", ["dom", "mark"]),
        (["mark", "beta", "mark"], "mark, beta, mark", ["mark", "shane", "dom"]),
    ],
)
def test_env_flags_become_one_stage_with_each_environment_once(
    names: list[str], stage: str, environments: list[str]
) -> None:
    resolved = params.resolve_stage(names, settings())

    assert resolved.name == stage
    assert [environment.name for environment in resolved.environments] == environments


def test_missing_env_flag_is_an_error_that_lists_the_choices() -> None:
    with pytest.raises(UsageError, match="--env is missing") as refused:
        params.resolve_stage([], settings())

    assert refused.value.hint == "add --env with one of: staging, prod, mark, shane, dom, beta"


def test_unknown_name_among_several_is_an_error() -> None:
    with pytest.raises(UsageError, match="'shne' is neither"):
        params.resolve_stage(["mark", "shne"], settings())


@pytest.mark.parametrize(("names", "count"), [([], 5), (["beta"], 3)])
def test_environments_are_all_of_them_without_env_flag(names: list[str], count: int) -> None:
    assert len(params.resolve_environments_or_all(names, settings())) == count


def test_group_is_an_error_where_one_environment_is_needed() -> None:
    assert params.resolve_environment("mark", settings()).name == "mark"
    with pytest.raises(UsageError, match="beta is a group") as refused:
        params.resolve_environment("beta", settings())
    with pytest.raises(UsageError, match="--env is missing"):
        params.resolve_environment("", settings())

    assert refused.value.hint == "name one of its environments: mark, shane, dom"


def test_only_the_first_stage_can_be_released_to() -> None:
    assert params.require_first_stage("staging", settings()).name == "staging"
    with pytest.raises(UsageError, match="prod is not the first stage of the pipeline") as refused:
        params.require_first_stage("prod", settings())

    assert refused.value.hint == "inv release-staging"


def test_empty_shard_flag_does_not_mean_all_environments() -> None:
    """`--shard "$SHARD"` of a CI job that lacks the variable."""
    assert params.parse_optional_shard(None) is None
    with pytest.raises(UsageError, match="--shard"):
        params.parse_optional_shard("")


@pytest.mark.parametrize(
    ("text", "reason"), [(None, ""), ("the login is down", "the login is down"), (" two\nlines ", "two lines")]
)
def test_reason_is_one_line(text: str | None, reason: str) -> None:
    assert params.parse_reason("--without-evidence", text) == reason


@pytest.mark.parametrize("text", ["", "  ", "--yes", "-y"])
def test_reason_is_neither_empty_nor_the_next_flag(text: str) -> None:
    with pytest.raises(UsageError, match="--without-evidence needs a reason, got "):
        params.parse_reason("--without-evidence", text)


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.5", "x", "", "²", "9" * 5000])
def test_number_that_is_not_one_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"--limit: expected a whole number from 1 to 1000, got "):
        params.parse_number("--limit", text, minimum=1, maximum=1000)


@pytest.mark.parametrize("text", ["1", "20", "1000"])
def test_number_is_parsed(text: str) -> None:
    assert params.parse_number("--limit", text, minimum=1, maximum=1000) == int(text)


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("10m", 600)])
def test_duration_is_zero_seconds_when_it_is_not_given(text: str, seconds: float) -> None:
    assert params.parse_duration("--wait", text) == seconds


def test_duration_error_names_the_flag() -> None:
    with pytest.raises(UsageError, match="--wait soon: 'soon' is not a duration"):
        params.parse_duration("--wait", "soon")


@pytest.mark.parametrize(("text", "version"), [("", None), ("v1.2.3", Version(1, 2, 3)), ("1.2.3", Version(1, 2, 3))])
def test_release_is_parsed_with_or_without_v(text: str, version: Version | None) -> None:
    assert params.parse_release(text) == version


@pytest.mark.parametrize(
    ("part", "to", "force", "bump"),
    [
        ("auto", "", False, Bump(accept_released=True)),
        ("minor", "", True, Bump(part="feature", accept_released=True, force=True)),
        ("auto", "v1.2.3", False, Bump(to=Version.parse("1.2.3"), accept_released=True)),
        ("auto", "1.2.3-rc.1", False, Bump(to=Version.parse("1.2.3-rc.1"), accept_released=True)),
    ],
)
def test_flags_become_a_bump(*, part: str, to: str, force: bool, bump: Bump) -> None:
    assert params.parse_bump(part, to, force=force) == bump


@pytest.mark.parametrize(
    ("part", "to", "what"),
    [("pacth", "", "--part pacth: no such part"), ("auto", "1.2", "--to: '1.2' is not a version")],
)
def test_error_of_a_bump_names_the_wrong_flag(part: str, to: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        params.parse_bump(part, to, force=False)


def test_unknown_engine_is_an_error_of_its_flag() -> None:
    assert params.parse_engine("bundle") == "bundle"
    assert params.parse_service_engine("none") == "none"
    with pytest.raises(UsageError, match=r"^--engine 'bundle' does not run services \(bundle builds images"):
        params.parse_service_engine("bundle")
    with pytest.raises(UsageError) as refused:
        params.parse_engine("nope")

    assert str(refused.value).splitlines() == [
        "--engine 'nope' is not an engine",
        "choose one of auto, docker, podman, buildah, bundle, stand-in",
    ]
