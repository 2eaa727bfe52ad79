"""The grammar of names: they become commands, paths, workflows and requests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.config import load, validate
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    "a;id",
    "$(id)",
    "${{ github.token }}",
    "a b",
    "a\nb",
    "a/b",
    "../a",
    "-a",
    "é",
    "\x1b[2J",
    "\u202ea",
    "a" * 300,
]


def problems(root: Path, **keys: Any) -> str:
    """Return the problems of a configuration with two environments and these keys, one a line."""
    table = {
        "app": "web",
        "pipeline": ["staging"],
        "aws": {"region": "eu-west-1"},
        "environments": {"staging": {}},
        **keys,
    }
    try:
        validate.build_settings(load.ConfigFile(root, "kaizen.toml", table), load.with_defaults(table))
    except ConfigurationError as error:
        return error.message
    return ""


@pytest.mark.parametrize("name", [*HOSTILE, "", "a.b", "_a"])
def test_names_of_environments_and_groups_are_words(tmp_path: Path, name: str) -> None:
    """Invoke takes a dot for the name of a collection."""
    environment = problems(tmp_path, environments={"staging": {}, name: {}})
    group = problems(tmp_path, groups={name: ["staging"]})

    assert f"kaizen.toml: environments: {name!r} is not a name: it may have letters, digits, - and _" in environment
    assert f"kaizen.toml: groups: {name!r} is not a name" in group


@pytest.mark.parametrize("name", ["prod", "Prod-2", "mark_old", "1"])
def test_ordinary_names_are_accepted(tmp_path: Path, name: str) -> None:
    environment = {"repository": "web-app", "service": "web-service"}

    assert problems(tmp_path, environments={"staging": {}, name: environment}, groups={"beta": [name]}) == ""


@pytest.mark.parametrize("name", [*HOSTILE, ".a"])
def test_app_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    assert f"kaizen.toml: app: {name!r} is not a name" in problems(tmp_path, app=name)


def test_app_name_may_have_dots(tmp_path: Path) -> None:
    """Then services, which may not, need names of their own."""
    assert problems(tmp_path, app="kaizen_tasks.web-2", environments={}, pipeline=[]) == ""
    assert "is not the name of a service" in problems(tmp_path, app="web.2")


def test_bad_names_are_reported_with_all_other_problems(tmp_path: Path) -> None:
    found = problems(tmp_path, app="a/b", environments={"x.y": {"url": 3}}, pipeline=["z"])

    assert sorted(re.split(": | should", line)[1] for line in found.splitlines()) == [
        "app", "environments", "environments.x.y.url", "pipeline",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("repository", "Web", "is not the name of a repository"),
        ("repository", "web:latest", "is not the name of a repository"),
        ("repository", "web/../x", "is not the name of a repository"),
        ("repository", "{env:>99999999}", "has a placeholder other than"),
        ("repository", "{env!r}", "has a placeholder other than"),
        ("service", "web service", "is not the name of a service"),
        ("service", "web/x", "is not the name of a service"),
        ("secret", "a b", "is not the name of a secret"),
        ("url", "https://", "is not an address"),
        ("url", "https://web.example/\nx", "is not an address"),
        ("url", "https://web .example", "is not an address"),
        ("url", "https://wéb.example/ü", "is not an address"),
    ],
)
def test_resources_have_names_that_aws_accepts(tmp_path: Path, key: str, value: str, expected: str) -> None:
    found = problems(tmp_path, environments={"staging": {key: value}})

    assert f"kaizen.toml: environments.staging.{key}" in found
    assert expected in found


@pytest.mark.parametrize("repository", ["team/web-app", "a__b.c---d", "my-personal-coach-app"])
def test_repositories_may_have_the_names_of_the_specification(tmp_path: Path, repository: str) -> None:
    assert (
        problems(tmp_path, environments={"staging": {"repository": repository, "url": "https://a.b:8080/c?d=e#f"}})
        == ""
    )


@pytest.mark.parametrize("region", ["eu-west-1; id", "eu_west_1", "https://evil", "eu-west-1\n"])
def test_region_is_a_region(tmp_path: Path, region: str) -> None:
    """It becomes part of host names."""
    assert "aws.region" in problems(tmp_path, aws={"region": region})


@pytest.mark.parametrize("region", ["us-gov-west-1", "ap-southeast-4", "cn-north-1"])
def test_regions_of_every_partition_are_accepted(tmp_path: Path, region: str) -> None:
    assert problems(tmp_path, aws={"region": region}) == ""


@pytest.mark.parametrize("branch", ["-x", "a b", "$(id)", "a..b", "a;b", "a\n", "/a", "a.lock", "@{u}", ""])
@pytest.mark.parametrize("key", ["branches", "hotfix_branches"])
def test_branches_are_names_or_patterns(tmp_path: Path, key: str, branch: str) -> None:
    assert f"kaizen.toml: release.{key}[1 of 1]: {branch!r} is not" in problems(tmp_path, release={key: [branch]})


@pytest.mark.parametrize("branch", ["main", "release/*", "v[0-9].x", "fix/#12", "élan"])
def test_ordinary_branches_are_accepted(tmp_path: Path, branch: str) -> None:
    assert problems(tmp_path, release={"branches": [branch]}) == ""


@pytest.mark.parametrize(
    "tag", ["-{version}", "v {version}", "{version}..x", "{version}.lock", "v{version}\n", "{version:>9}"]
)
def test_tags_are_names_that_git_accepts(tmp_path: Path, tag: str) -> None:
    assert "kaizen.toml: release.tag" in problems(tmp_path, release={"tag": tag})


@pytest.mark.parametrize("remote", ["--upload-pack=id", "a b", "origin\n"])
def test_remote_is_a_name(tmp_path: Path, remote: str) -> None:
    """Git would take a dash for an option."""
    assert "kaizen.toml: release.remote" in problems(tmp_path, release={"remote": remote})


@pytest.mark.parametrize(
    "build",
    [
        {"version_arg": "A B"},
        {"args": {"A=B": "c"}},
        {"platform": "linux"},
        {"context": "/etc"},
        {"context": "a\nb"},
        {"context": "..", "dockerfile": "../Dockerfile"},
        {"context": "app", "dockerfile": "../../Dockerfile"},
        {"dockerfile": "/etc/passwd"},
        {"dockerfile": "a\nb"},
    ],
)
def test_builds_stay_in_the_folder(tmp_path: Path, build: dict[str, Any]) -> None:
    assert f"kaizen.toml: build.{list(build)[-1]}" in problems(tmp_path, build=build)


def test_context_above_the_app_is_accepted(tmp_path: Path) -> None:
    assert problems(tmp_path, build={"context": "..", "dockerfile": "api/Dockerfile"}) == ""


def test_dockerfile_beside_its_context_is_accepted(tmp_path: Path) -> None:
    assert problems(tmp_path, build={"context": "app", "dockerfile": "../Dockerfile", "args": {"BASE": "x y"}}) == ""


@pytest.mark.parametrize("key", ["A=B", "-A", "A B", "", "\x1b"])
def test_keys_can_be_written_before_an_equals_sign(tmp_path: Path, key: str) -> None:
    assert "kaizen.toml: runtime.keys" in problems(tmp_path, runtime={"keys": {key: {"type": "text"}}})


@pytest.mark.parametrize("path", ["/a b", "/ü", "/\r\nX: y", "version"])
def test_paths_can_be_requested(tmp_path: Path, path: str) -> None:
    assert "kaizen.toml: verify.path" in problems(tmp_path, verify={"path": path})
    assert "kaizen.toml: smoke[1 of 1].path" in problems(tmp_path, smoke=[{"path": path}])


def test_problem_with_a_hostile_name_is_printed_as_one_line(tmp_path: Path) -> None:
    """`repr` escapes what `cli` would replace."""
    found = problems(tmp_path, environments={"\x1b[2J\n": {}, "staging": {}})

    assert json.dumps(found).count("\\u001b") == 0
    assert len(found.splitlines()) == 1


def test_former_names_are_kept(tmp_path: Path) -> None:
    table = {"app": "web", "pipeline": ["mark"], "aws": {"region": "eu-west-1"}}
    table["environments"] = {"mark": {"formerly": ["mark-old"]}, "dom": {}}

    settings = validate.build_settings(load.ConfigFile(tmp_path, "kaizen.toml", table), load.with_defaults(table))

    assert settings.former_names == {"mark": ("mark-old",)}


@pytest.mark.parametrize(
    ("formerly", "expected"),
    [
        (["staging"], "'staging' is also a name of staging"),
        (["a", "a"], "'a' is listed twice"),
        (["mark"], "'mark' is listed twice"),
        (["dom-old"], "'dom-old' is also a name of dom"),
        (["a b"], "is not a name"),
    ],
)
def test_former_names_are_nobody_elses(tmp_path: Path, formerly: list[str], expected: str) -> None:
    """Two environments with one history would change each other's."""
    environments = {"staging": {}, "dom": {"formerly": ["dom-old"]}, "mark": {"formerly": formerly}}

    assert expected in problems(tmp_path, environments=environments)
