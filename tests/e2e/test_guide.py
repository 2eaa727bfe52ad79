"""The commands of the written guide, unchanged, with the clients that it names."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workspace import Workspace

pytestmark = pytest.mark.e2e

VERSION = {"version": "v0.2.0", "environment": "staging"}


@pytest.fixture(scope="session")
def aws() -> str:
    """Return the AWS CLI; in CI its absence is a failure."""
    found = os.environ.get("KAIZEN_TEST_AWS") or shutil.which("aws")
    if found is None and "CI" in os.environ:
        pytest.fail("the AWS CLI is missing, and in CI that is not a reason to skip", pytrace=False)
    if found is None:
        pytest.skip("the AWS CLI is not installed")
    return found


def tool(name: str) -> str:
    """Return another client's program; in CI its absence is a failure."""
    found = shutil.which(name)
    if found is None and "CI" in os.environ:
        pytest.fail(f"{name} is missing, and in CI that is not a reason to skip", pytrace=False)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def ask(world: Workspace, aws: str, *words: str) -> Any:
    """Type an `aws` command and read its JSON."""
    said = world.run(aws, *words, "--region", "eu-west-1", "--output", "json").expect_success()
    return json.loads(said.out) if said.out else None


def arn(world: Workspace, aws: str, service: str) -> str:
    """Find a service as people do: in the list."""
    services = ask(world, aws, "apprunner", "list-services")["ServiceSummaryList"]
    (found,) = (each["ServiceArn"] for each in services if each["ServiceName"] == service)
    return str(found)


def test_lists_the_images_of_a_repository_as_a_table(demo: Workspace, aws: str) -> None:
    query = "imageDetails[*].[imageTags[0],imagePushedAt]"
    command = ("ecr", "describe-images", "--repository-name", "staging-coach-app", "--region", "eu-west-1")
    said = demo.run(aws, *command, "--query", query, "--output", "table").expect_success()
    assert "DescribeImages" in said.out
    assert "v0.1.7" in said.out
    assert len([line for line in said.out.splitlines() if line.startswith("|  ")]) == 3


def test_names_both_tags_of_what_runs(demo: Workspace, aws: str) -> None:
    listed = ask(demo, aws, "ecr", "describe-images", "--repository-name", "staging-coach-app")["imageDetails"]
    assert {"latest", "v0.2.0"} in [set(each["imageTags"]) for each in listed]


def test_deploys_by_hand_as_the_guide_says(world: Workspace, aws: str) -> None:
    service = arn(world, aws, f"staging-{world.app}-service")
    begun = ask(world, aws, "apprunner", "start-deployment", "--service-arn", service)["OperationId"]
    listed = ask(world, aws, "apprunner", "list-operations", "--service-arn", service)["OperationSummaryList"]
    assert (listed[0]["Id"], listed[0]["Type"]) == (begun, "START_DEPLOYMENT")


def test_describes_a_service_that_follows_latest(demo: Workspace, aws: str) -> None:
    service = arn(demo, aws, "staging-coach-service")
    described = ask(demo, aws, "apprunner", "describe-service", "--service-arn", service)["Service"]
    assert described["Status"] == "RUNNING"
    image = described["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"]
    assert image.endswith("/staging-coach-app:latest")


def test_answers_curl_with_the_version(demo: Workspace) -> None:
    url = demo.inv("status", "--json").document["environments"]["staging"]["url"]
    said = demo.run(tool("curl"), "--silent", "--show-error", f"{url}/version").expect_success()
    assert json.loads(said.out) == VERSION


@pytest.mark.docker
def test_lets_skopeo_look_at_an_image(demo: Workspace, aws: str) -> None:
    said = demo.run(
        tool("skopeo"),
        "inspect",
        "--tls-verify=false",
        f"--creds=AWS:{password(demo, aws)}",
        f"docker://{registry(demo)}/staging-coach-app:v0.2.0",
    ).expect_success()
    found = json.loads(said.out)
    assert found["Digest"] == demo.inv("status", "--json").document["environments"]["staging"]["digest"]
    assert found["Labels"]["org.opencontainers.image.version"] == "v0.2.0"


@pytest.mark.docker
def test_refuses_a_wrong_password(demo: Workspace) -> None:
    image = f"docker://{registry(demo)}/staging-coach-app:v0.2.0"
    said = demo.run(tool("skopeo"), "inspect", "--tls-verify=false", "--creds=AWS:guessed", image)
    assert said.code != 0


@pytest.mark.docker
def test_takes_an_image_that_buildah_pushes(world: Workspace, aws: str, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY Containerfile /\n")
    at = (
        tool("buildah"),
        "--root",
        str(tmp_path / "root"),
        "--runroot",
        str(tmp_path / "run"),
        "--storage-driver",
        "vfs",
    )
    target = f"docker://{registry(world)}/staging-{world.app}-app:by-hand"
    world.run(*at, "build", "--isolation", "chroot", "--tag", "by-hand", cwd=tmp_path).expect_success()
    world.run(
        *at, "push", "--tls-verify=false", f"--creds=AWS:{password(world, aws)}", "by-hand", target
    ).expect_success()
    listed = ask(world, aws, "ecr", "describe-images", "--repository-name", f"staging-{world.app}-app")
    assert ["by-hand"] in [each["imageTags"] for each in listed["imageDetails"]]


def password(world: Workspace, aws: str) -> str:
    """Ask for the registry's password as the guide's script does."""
    return world.run(aws, "ecr", "get-login-password", "--region", "eu-west-1").expect_success().out.strip()


def registry(world: Workspace) -> str:
    """Return the registry's host and port."""
    return world.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
