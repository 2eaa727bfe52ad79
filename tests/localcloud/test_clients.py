"""docker, skopeo, buildah and the AWS CLI with the local cloud."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.localcloud.registry.manifests import OCI_MANIFEST
from tests.localcloud.ecs.samples import fargate
from tests.localcloud.layers import BUNDLE, Pushed, archive, folder
from tests.support.local_cloud import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.localcloud.samples import RawRegistry
    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.docker
SECONDS = 60


def run(
    *command: str | Path, data: bytes = b"", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; a missing one fails the test in CI and skips it elsewhere."""
    program = str(command[0])
    if shutil.which(program) is None and "CI" not in os.environ:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [str(word) for word in command], input=data, capture_output=True, timeout=SECONDS, env=environ, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def ok(*command: str | Path, data: bytes = b"", environ: dict[str, str] | None = None) -> str:
    done = run(*command, data=data, environ=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def busybox() -> bytes:
    """Return a root file system with a command that prints a line."""
    found = shutil.which("busybox")
    if found is None:
        pytest.skip("busybox is not installed")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(Path(found).resolve(), "bin/busybox")
    return archive.getvalue()


@pytest.fixture(scope="module")
def login(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a docker configuration folder with the registry's password."""
    folder = tmp_path_factory.mktemp("docker")
    token = cloud.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    (folder / "config.json").write_text(json.dumps({"auths": {cloud.registry: {"auth": token}}}))
    return folder


@pytest.fixture
def docker(login: Path) -> Iterator[Callable[..., str]]:
    """Return a function that runs docker; its images are removed afterwards."""
    made: list[str] = []

    def run_docker(*words: str, data: bytes = b"") -> str:
        made.extend(word for word in words if word.startswith("127.0.0.1:"))
        return ok("docker", "--config", login, *words, data=data)

    yield run_docker
    for name in {image.rpartition(":")[0] for image in made}:
        if identifiers := run("docker", "images", "--quiet", "--no-trunc", name).stdout.split():
            run("docker", "rmi", "--force", *dict.fromkeys(identifiers))


@pytest.fixture
def pushed(cloud: Cloud, docker: Callable[..., str], repository: Callable[..., str]) -> str:
    """Return the name of an image that docker has pushed."""
    name = f"{cloud.registry}/{repository()}:v1"
    docker("import", "--change", 'CMD ["/bin/busybox", "echo", "hello"]', "-", name, data=busybox())
    docker("push", name)
    return name


def details(cloud: Cloud, repository: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    return found


def test_docker_pushes_pulls_and_runs(cloud: Cloud, docker: Callable[..., str], pushed: str) -> None:
    name = pushed.partition("/")[2].partition(":")[0]
    digest = details(cloud, name)[0]["imageDigest"]
    docker("rmi", pushed)
    assert digest in docker("pull", pushed)
    assert docker("run", "--rm", "--network", "none", pushed) == "hello"


def test_docker_skips_existing_layers(cloud: Cloud, docker: Callable[..., str], pushed: str) -> None:
    before = len(cloud.requests)
    assert "Layer already exists" in docker("push", pushed)
    assert not [line for line in cloud.requests[before:] if line.get("method") in ("POST", "PATCH")]


def test_docker_cannot_move_an_immutable_tag(
    cloud: Cloud, login: Path, docker: Callable[..., str], pushed: str
) -> None:
    name = pushed.partition("/")[2].partition(":")[0]
    before = details(cloud, name)
    cloud.client("ecr").put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    docker("import", "--change", 'CMD ["/bin/busybox", "echo", "other"]', "-", pushed, data=busybox())
    refused = run("docker", "--config", login, "push", pushed)
    assert (refused.returncode, "tag invalid" in refused.stderr) == (1, True)
    assert details(cloud, name) == before


def test_docker_without_the_password_is_refused(pushed: str, tmp_path: Path) -> None:
    refused = run("docker", "--config", tmp_path, "push", pushed)
    assert (refused.returncode, "no basic auth credentials" in refused.stderr) == (1, True)


def test_skopeo_inspects_copies_and_lists(
    cloud: Cloud, login: Path, pushed: str, repository: Callable[..., str]
) -> None:
    target = repository("target")
    file = login / "config.json"
    seen = json.loads(ok("skopeo", "inspect", "--tls-verify=false", "--authfile", file, f"docker://{pushed}"))
    insecure = ("--src-tls-verify=false", "--dest-tls-verify=false", "--authfile", file)
    copy = f"docker://{cloud.registry}/{target}:v1"
    ok("skopeo", "copy", *insecure, f"docker://{pushed}", copy)
    assert [image["imageDigest"] for image in details(cloud, target)] == [seen["Digest"]]
    listed = ok("skopeo", "list-tags", "--tls-verify=false", "--authfile", file, copy.rpartition(":")[0])
    assert json.loads(listed)["Tags"] == ["v1"]


def test_skopeo_pushes_an_oci_layout(
    cloud: Cloud, login: Path, pushed: str, repository: Callable[..., str], tmp_path: Path
) -> None:
    target = repository("target")
    insecure = ("--src-tls-verify=false", "--dest-tls-verify=false", "--authfile", login / "config.json")
    ok("skopeo", "copy", "--format", "oci", *insecure, f"docker://{pushed}", f"dir:{tmp_path}")
    ok("skopeo", "copy", *insecure, f"dir:{tmp_path}", f"docker://{cloud.registry}/{target}:oci")
    assert [image["imageManifestMediaType"] for image in details(cloud, target)] == [OCI_MANIFEST]


def test_buildah_pushes(cloud: Cloud, login: Path, repository: Callable[..., str], tmp_path: Path) -> None:
    name = repository()
    places = ("--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver", "vfs")
    (tmp_path / "hello").write_text("hello")
    ok("buildah", *places, "from", "--name", "work", "scratch")
    ok("buildah", *places, "copy", "work", tmp_path / "hello", "/hello")
    ok("buildah", *places, "commit", "--rm", "work", "made")
    target = f"docker://{cloud.registry}/{name}:v1"
    ok("buildah", *places, "push", "--tls-verify=false", "--authfile", login / "config.json", "made", target)
    assert details(cloud, name)[0]["imageTags"] == ["v1"]


class TestAwsCli:
    """The commands of the AWS CLI that people use with ECR."""

    def test_aws_cli_shows_a_table_of_images(
        self, cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
    ) -> None:
        name = repository()
        registry.push(name, "v1", b"layer")
        query = "imageDetails[*].[imageTags[0],imagePushedAt]"
        command = ("aws", "ecr", "describe-images", "--repository-name", name, "--query", query)
        table = ok(*command, "--output", "table", environ=cloud.environ)
        assert "DescribeImages" in table
        assert "v1" in table

    def test_aws_cli_gets_a_valid_password(self, cloud: Cloud, repository: Callable[..., str]) -> None:
        name = repository()
        password = ok("aws", "ecr", "get-login-password", environ=cloud.environ)
        credentials = ("--creds", f"AWS:{password}", "--tls-verify=false")
        assert json.loads(ok("skopeo", "list-tags", *credentials, f"docker://{cloud.registry}/{name}"))["Tags"] == []

    def test_aws_cli_gets_the_account(self, cloud: Cloud) -> None:
        identity = ok("aws", "sts", "get-caller-identity", "--output", "json", environ=cloud.environ)
        assert json.loads(identity)["Account"] == "123456789012"

    def test_aws_cli_shows_errors(self, cloud: Cloud) -> None:
        failed = run("aws", "ecr", "describe-images", "--repository-name", "none", environ=cloud.environ)
        assert "(RepositoryNotFoundException) when calling the DescribeImages operation" in failed.stderr

    @pytest.mark.parametrize(
        ("command", "code"),
        [
            ("ecr describe-images --repository-name none", "InvalidSignatureException"),
            ("sts get-caller-identity", "SignatureDoesNotMatch"),
        ],
    )
    def test_aws_cli_with_a_wrong_secret_is_refused(self, cloud: Cloud, command: str, code: str) -> None:
        failed = run("aws", *command.split(), environ={**cloud.environ, "AWS_SECRET_ACCESS_KEY": "guessed"})
        assert f"({code})" in failed.stderr


def test_aws_cli_runs_a_task_and_waits_for_its_end(cloud: Cloud, tmp_path: Path) -> None:
    def aws(*words: str) -> str:
        return ok("aws", *words, "--output", "text", environ=cloud.environ)

    images = Pushed(cloud.client("ecr"))
    images.repository("clients/task")
    program = ["python", "-c", "import sys; print('migrated', *sys.argv[1:]); sys.exit(3)"]
    digest = images.image("clients/task", [archive(folder("app"))], config={"Entrypoint": program, "Labels": BUNDLE})
    options = {"awslogs-group": "/clients", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    web = {
        "name": "web",
        "image": f"{cloud.registry}/clients/task@{digest}",
        "logConfiguration": {"logDriver": "awslogs", "options": {**options, "awslogs-create-group": "true"}},
    }
    request = tmp_path / "task.json"
    request.write_text(json.dumps(fargate(web, family="clients")))
    aws("ecs", "register-task-definition", "--cli-input-json", f"file://{request}")
    override = json.dumps({"containerOverrides": [{"name": "web", "command": ["now"]}]})
    options_of_run = ("--launch-type", "FARGATE", "--network-configuration", "awsvpcConfiguration={subnets=[subnet-1]}")

    task = aws(
        *("ecs", "run-task", "--task-definition", "clients", "--overrides", override, *options_of_run),
        *("--query", "tasks[0].taskArn"),
    )
    aws("ecs", "wait", "tasks-stopped", "--tasks", task)

    ended = ("ecs", "describe-tasks", "--tasks", task, "--query", "tasks[0].[lastStatus,containers[0].exitCode]")
    assert aws(*ended).split() == ["STOPPED", "3"]
    output = ("logs", "filter-log-events", "--log-group-name", "/clients", "--query", "events[].message")
    assert aws(*output) == "migrated now"
