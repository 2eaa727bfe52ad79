"""Common parts of container engines: build options, credentials, and the meaning of their output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.build.container_engine import build_error, build_options, push_error, registry_auth_file
from kaizen_tasks.adapters.host.process import CompletedProcess
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.contracts.builder import RULES, recipe

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/staging-app"
LOGIN = Login(url="http://127.0.0.1:5000", username="AWS", password=Secret("hunter2"))


def failed(*lines: str) -> CompletedProcess:
    return CompletedProcess(code=1, out="", err="\n".join(lines), tail=lines)


@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        (
            "tag invalid: The image tag 'v1.2.3' already exists and cannot be overwritten: it is immutable.",
            "is a different image",
        ),
        ("TAG_INVALID", "is a different image"),
        (
            "name unknown: The repository with name 'staging-app' does not exist in the registry with id '1'",
            "there is no repository",
        ),
        ("no basic auth credentials", "does not let these credentials push"),
        (
            "denied: Your authorization token has expired. Reauthenticate.",
            "does not let these credentials push",
        ),
        ("unauthorized: authentication required", "does not let these credentials push"),
        ("connection refused", "could not be reached"),
    ],
)
def test_explains_why_a_registry_refused(reason: str, meant: str) -> None:
    output = failed("The push refers to repository", f"Error: pushing {ADDRESS}: {reason}")

    error = push_error(output, repository_uri=ADDRESS, tag="v1.2.3")

    assert meant in error.message
    assert error.message.endswith(f": {reason}")
    assert len(str(error).splitlines()) <= 3


def test_unknown_push_error_is_quoted() -> None:
    error = push_error(failed("blob upload unknown"), repository_uri=ADDRESS, tag="v1.2.3")

    assert error.message == f"{ADDRESS}:v1.2.3 could not be pushed: blob upload unknown"


def test_names_the_reason_of_a_failed_build_and_shows_its_last_lines() -> None:
    tail = (
        "#5 0.199 boom",
        "#5 ERROR: exit code: 3",
        "------",
        "Dockerfile:5",
        "   3 | RUN x",
        "exit code: 3",
    )

    error = build_error("docker", recipe(), failed(*tail))

    assert error.message.endswith(": exit code: 3")
    assert error.output == ("#5 0.199 boom", "#5 ERROR: exit code: 3", "exit code: 3")


def test_errors_are_shown_that_stdout_has_overtaken() -> None:
    tail = tuple(f"compiling {number}" for number in range(19))
    result = evolve(failed(*tail, "exit code: 3"), err="no such module: zones\nexit code: 3\n")

    error = build_error("docker", recipe(), result)

    assert error.output == (*tail, "no such module: zones", "exit code: 3")


def test_notices_of_the_engine_are_no_reason_of_a_failed_build() -> None:
    tail = (
        "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.",
        "            Install the buildx component to build images with BuildKit:",
        "            https://docs.docker.com/go/buildx/",
        "Sending build context to Docker daemon  13.31kB",
        "Step 1/1 : FROM python:3.12-slim",
        "no such host",
    )

    error = build_error("docker", recipe(), failed(*tail))

    assert error.output == ("Step 1/1 : FROM python:3.12-slim", "no such host")


def test_the_version_wins_over_a_configured_argument_of_that_name(tmp_path: Path) -> None:
    rules = RULES._replace(args={"VERSION": "dev", "MODE": "release"})

    options = build_options(recipe(), rules, tmp_path)

    assert "VERSION=v1.2.3" in options
    assert "MODE=release" in options
    assert "VERSION=dev" not in options


def test_credentials_stay_in_a_folder_of_their_own_and_only_for_a_while() -> None:
    with registry_auth_file(LOGIN, preferences={"proxies": {}}) as (file, secrets):
        content = json.loads(file.read_text())
        modes = file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777

    assert content == {"proxies": {}, "auths": {"127.0.0.1:5000": {"auth": "QVdTOmh1bnRlcjI="}}}
    assert modes == (0o700, 0o600)
    assert [secret.reveal() for secret in secrets] == ["hunter2", "QVdTOmh1bnRlcjI="]
    assert not file.parent.exists()
