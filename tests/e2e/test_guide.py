"""The commands of the written guide, unchanged, with the clients that it names."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workspaces import Workspace

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


def ask(workspace: Workspace, aws: str, *words: str) -> Any:
    """Type an `aws` command and read its JSON."""
    result = workspace.run(aws, *words, "--region", "eu-west-1", "--output", "json").expect_success()
    return json.loads(result.out) if result.out else None


def arn(workspace: Workspace, aws: str, service: str) -> str:
    """Find a service as people do: in the list, which has twenty services on a page."""
    page = ask(workspace, aws, "apprunner", "list-services")
    services = page["ServiceSummaryList"]
    while token := page.get("NextToken"):
        page = ask(workspace, aws, "apprunner", "list-services", "--next-token", token)
        services += page["ServiceSummaryList"]
    (found,) = (each["ServiceArn"] for each in services if each["ServiceName"] == service)
    return str(found)


def test_aws_cli_lists_images_as_a_table(demo: Workspace, aws: str) -> None:
    query = "imageDetails[*].[imageTags[0],imagePushedAt]"
    command = ("ecr", "describe-images", "--repository-name", "staging-coach-app", "--region", "eu-west-1")
    result = demo.run(aws, *command, "--query", query, "--output", "table").expect_success()
    assert "DescribeImages" in result.out
    assert "v0.1.7" in result.out
    assert len([line for line in result.out.splitlines() if line.startswith("|  ")]) == 3


def test_aws_cli_shows_both_tags_of_the_running_image(demo: Workspace, aws: str) -> None:
    listed = ask(demo, aws, "ecr", "describe-images", "--repository-name", "staging-coach-app")["imageDetails"]
    assert {"latest", "v0.2.0"} in [set(each["imageTags"]) for each in listed]


def test_aws_cli_deploys_by_hand(workspace: Workspace, aws: str) -> None:
    service = arn(workspace, aws, f"staging-{workspace.app}-service")
    begun = ask(workspace, aws, "apprunner", "start-deployment", "--service-arn", service)["OperationId"]
    listed = ask(workspace, aws, "apprunner", "list-operations", "--service-arn", service)["OperationSummaryList"]
    assert (listed[0]["Id"], listed[0]["Type"]) == (begun, "START_DEPLOYMENT")


def test_aws_cli_describes_a_service_that_follows_latest(demo: Workspace, aws: str) -> None:
    service = arn(demo, aws, "staging-coach-service")
    described = ask(demo, aws, "apprunner", "describe-service", "--service-arn", service)["Service"]
    assert described["Status"] == "RUNNING"
    image = described["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"]
    assert image.endswith("/staging-coach-app:latest")


def test_curl_gets_the_version(demo: Workspace) -> None:
    url = demo.inv("status", "--json").document["environments"]["staging"]["url"]
    result = demo.run(tool("curl"), "--silent", "--show-error", f"{url}/version").expect_success()
    assert json.loads(result.out) == VERSION


@pytest.mark.docker
def test_skopeo_inspects_an_image(demo: Workspace, aws: str) -> None:
    result = demo.run(
        tool("skopeo"),
        "inspect",
        "--tls-verify=false",
        f"--creds=AWS:{password(demo, aws)}",
        f"docker://{registry(demo)}/staging-coach-app:v0.2.0",
    ).expect_success()
    found = json.loads(result.out)
    assert found["Digest"] == demo.inv("status", "--json").document["environments"]["staging"]["digest"]
    assert found["Labels"]["org.opencontainers.image.version"] == "v0.2.0"


@pytest.mark.docker
def test_registry_refuses_a_wrong_password(demo: Workspace) -> None:
    image = f"docker://{registry(demo)}/staging-coach-app:v0.2.0"
    result = demo.run(tool("skopeo"), "inspect", "--tls-verify=false", "--creds=AWS:guessed", image)
    assert result.code != 0


@pytest.mark.docker
def test_buildah_pushes_an_image(workspace: Workspace, aws: str, tmp_path: Path) -> None:
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
    target = f"docker://{registry(workspace)}/staging-{workspace.app}-app:by-hand"
    workspace.run(*at, "build", "--isolation", "chroot", "--tag", "by-hand", cwd=tmp_path).expect_success()
    workspace.run(
        *at, "push", "--tls-verify=false", f"--creds=AWS:{password(workspace, aws)}", "by-hand", target
    ).expect_success()
    listed = ask(workspace, aws, "ecr", "describe-images", "--repository-name", f"staging-{workspace.app}-app")
    assert ["by-hand"] in [each["imageTags"] for each in listed["imageDetails"]]


def password(workspace: Workspace, aws: str) -> str:
    """Ask for the registry's password as the guide's script does."""
    return workspace.run(aws, "ecr", "get-login-password", "--region", "eu-west-1").expect_success().out.strip()


def registry(workspace: Workspace) -> str:
    """Return the registry's host and port."""
    return workspace.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
