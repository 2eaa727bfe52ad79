"""`kaizen demo --engine docker`."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from tests.support import workspaces
from tests.support.base_image import base_image
from tests.support.workspaces import CommandResult, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.workspaces import Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

REPOSITORIES = ("staging-coach-app", "my-personal-coach-app", "mark-coach-app", "shane-coach-app", "dom-coach-app")
BLOB = re.compile(r"/v2/[^/]+/blobs/(?P<digest>sha256:[0-9a-f]{64})")
UPLOAD = re.compile(r"/v2/(?P<repository>[^/]+)/blobs/uploads/.+")
LOG_IN = 'printf %s "$PASSWORD" | docker --config "$OWN" login --username AWS --password-stdin "$REGISTRY"'


@frozen(kw_only=True)
class Observed:
    """What was seen of a demo from its start to its end.

    Attributes:
        document: what it printed.
        running: the images of the containers that ran.
        left: those of the containers that were there after it was stopped.
        pulled: a `docker pull` with the password of ECR.
        refused: a `docker pull` without one.
        manifest: of the image in staging.
        requests: what the local cloud was asked before somebody pulled by hand.
    """

    document: Any
    running: list[str]
    left: list[str]
    pulled: CommandResult
    refused: CommandResult
    manifest: Any
    requests: list[Request]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Run the demo, look at it while it is kept running, and stop it."""
    folder = tmp_path_factory.mktemp("docker")
    environ = {**workspaces.clean_environ(folder), "INVOKE_BUILD_ARGS_BASE": base_image()}
    kept = folder / "kept"
    workspace = workspaces.Workspace(
        clone=kept / "coach", remote=kept / "coach.git", state=kept / "cloud", environ=environ
    )
    try:
        document = (
            workspace.kaizen("demo", "--engine", "docker", "--json", "--keep", str(kept), cwd=folder)
            .expect_success()
            .document
        )
        registry = document["work"]["endpoint_url"].removeprefix("http://")
        running, requests = containers(workspace, registry), workspace.requests
        manifest, password = from_ecr(document["work"]["environ"])
        pulled, refused = (
            pull(workspace, registry, password, folder / "own"),
            pull(workspace, registry, "", folder / "other"),
        )
    finally:
        workspace.kaizen("local.down", "--state", str(workspace.state)).expect_success()
    return Observed(
        document=document,
        running=running,
        left=containers(workspace, registry),
        pulled=pulled,
        refused=refused,
        manifest=manifest,
        requests=requests,
    )


def containers(workspace: Workspace, registry: str) -> list[str]:
    """Return the images of all containers of one registry, whether they run or not."""
    listed = workspace.run("docker", "ps", "--all", "--format", "{{.Image}}", cwd=workspace.state).expect_success().out
    return [image for image in listed.split() if image.startswith(registry)]


def from_ecr(environ: Mapping[str, str]) -> tuple[Any, str]:
    """Return the manifest of staging's image, and the registry's password."""
    import boto3

    client = boto3.client(
        "ecr",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        (image,) = client.batch_get_image(repositoryName=REPOSITORIES[0], imageIds=[{"imageTag": "v0.2.0"}])["images"]
        (result,) = client.get_authorization_token()["authorizationData"]
    finally:
        client.close()
    user, _, password = base64.b64decode(result["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    return json.loads(image["imageManifest"]), password


def pull(workspace: Workspace, registry: str, password: str, own: Path) -> CommandResult:
    """Log in to a configuration of one's own and pull staging's image; without a password only pull."""
    own.mkdir()
    if password:
        workspace.run("sh", "-c", LOG_IN, PASSWORD=password, OWN=str(own), REGISTRY=registry).expect_success()
    return workspace.run("docker", "--config", str(own), "pull", f"{registry}/{REPOSITORIES[0]}:v0.2.0")


def test_runs_the_same_image_in_five_containers(observed: Observed) -> None:
    assert len(observed.running) == 5
    environments = observed.document["environments"]
    assert len({each["digest"] for each in environments.values()}) == 1
    assert [each["running"] for each in environments.values()] == [
        {"version": "v0.2.0", "environment": name} for name in environments
    ]
    assert [each["drift"] for each in environments.values()] == [[]] * 5


def test_docker_pulls_with_the_ecr_password(observed: Observed) -> None:
    assert observed.document["environments"]["staging"]["digest"] in observed.pulled.expect_success().out


def test_docker_cannot_pull_without_a_password(observed: Observed) -> None:
    assert observed.refused.code != 0


def test_each_layer_is_downloaded_at_most_once(observed: Observed) -> None:
    layers = {each["digest"] for each in observed.manifest["layers"]}
    asked = [match["digest"] for each in asked_of_the_registry(observed, "GET") if (match := BLOB.fullmatch(each))]
    served = Counter(digest for digest in asked if digest in layers)
    assert asked
    assert [digest for digest, times in served.items() if times > 1] == []


def test_each_layer_is_uploaded_once_to_the_first_repository(observed: Observed) -> None:
    finished = [match for each in asked_of_the_registry(observed, "PUT") if (match := UPLOAD.fullmatch(each))]
    first_version_too = 2
    assert {match["repository"] for match in finished} == {REPOSITORIES[0]}
    assert len(finished) < first_version_too * (len(observed.manifest["layers"]) + 1)


def test_no_container_is_left(observed: Observed) -> None:
    assert observed.running
    assert observed.left == []


def asked_of_the_registry(observed: Observed, method: str) -> list[str]:
    """Return the paths of all requests of the distribution API that have a method."""
    return [each["path"] for each in observed.requests if each.get("method") == method]
