"""App Runner by boto3, in a local cloud."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.layers import SERVER, Pushed, archive, file, folder
from tests.support.local_cloud import Cloud
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"  # the other name of the local cloud's registry
FINAL = {"SUCCEEDED", "FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}


class Team:
    """Pushes images and creates services in a local cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.apprunner = cloud.client("apprunner")
        self.images = Pushed(cloud.client("ecr"))

    def create(self, name: str, **image: Any) -> dict[str, Any]:
        answer = self.apprunner.create_service(
            ServiceName=f"{name}-service",
            SourceConfiguration={
                "AuthenticationConfiguration": {"AccessRoleArn": "arn:aws:iam::123456789012:role/pulls"},
                "ImageRepository": {
                    "ImageIdentifier": f"{HOST}/{name}:latest",
                    "ImageRepositoryType": "ECR",
                    "ImageConfiguration": image,
                },
            },
        )
        assert self.outcome(answer) == "SUCCEEDED"
        described = self.apprunner.describe_service(ServiceArn=answer["Service"]["ServiceArn"])
        service: dict[str, Any] = described["Service"]
        return service

    def operations(self, arn: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.apprunner.list_operations(ServiceArn=arn)["OperationSummaryList"]
        return listed

    def outcome(self, answer: dict[str, Any], arn: str = "") -> str:
        """Wait for the operation of a response; return its status."""
        arn = arn or answer["Service"]["ServiceArn"]

        def status() -> str:
            found = (known for known in self.operations(arn) if known["Id"] == answer["OperationId"])
            return str(next(found)["Status"])

        wait_for(lambda: status() in FINAL)
        return status()


def ask(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{url}/version", timeout=HANG_SECONDS) as answer:
        document: dict[str, Any] = json.loads(answer.read())
        return document


def version_at(url: str) -> str:
    try:
        return str(ask(url)["APP_VERSION"])
    except OSError as error:
        return repr(error)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with Cloud(tmp_path / "state", "--deploy-seconds", "0.2") as cloud:
        yield Team(cloud)


def test_boto3_creates_updates_pauses_and_deletes_a_service(team: Team) -> None:
    team.images.repository("coach")
    team.images.app("coach", "v1")
    service = team.create("coach", RuntimeEnvironmentVariables={"ENVIRONMENT": "staging"})
    arn, url = service["ServiceArn"], service["ServiceUrl"]
    assert (version_at(url), ask(url)["ENVIRONMENT"]) == ("v1", "staging")
    shape = team.apprunner.meta.service_model.operation_model("DescribeService").output_shape
    assert set(shape.members["Service"].required_members) <= service.keys()

    team.images.app("coach", "v2")
    wait_for(lambda: version_at(url) == "v2" and team.operations(arn)[0]["Status"] == "SUCCEEDED")

    answers: list[str] = []
    done = threading.Event()

    def hammer() -> None:
        while not done.wait(0.02):
            answers.append(version_at(url))

    client = threading.Thread(target=hammer)
    client.start()
    try:
        wait_for(lambda: bool(answers))
        team.images.app("coach", "v3", script="raise SystemExit(3)")
        wait_for(lambda: team.operations(arn)[0]["Status"] == "ROLLBACK_SUCCEEDED")
    finally:
        done.set()
        client.join()
    assert set(answers) == {"v2"}

    assert team.outcome(team.apprunner.pause_service(ServiceArn=arn)) == "SUCCEEDED"
    with pytest.raises(team.apprunner.exceptions.InvalidRequestException, match="isn't in RUNNING state"):
        team.apprunner.start_deployment(ServiceArn=arn)
    with pytest.raises(team.apprunner.exceptions.InvalidStateException):
        team.apprunner.pause_service(ServiceArn=arn)
    assert team.outcome(team.apprunner.resume_service(ServiceArn=arn)) == "SUCCEEDED"
    assert version_at(url) == "v2"

    assert team.outcome(team.apprunner.delete_service(ServiceArn=arn)) == "SUCCEEDED"
    assert team.apprunner.list_services()["ServiceSummaryList"] == []
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(url)
    kinds = [(known["Type"], known["Status"]) for known in reversed(team.operations(arn))]
    assert kinds == [
        ("CREATE_SERVICE", "SUCCEEDED"),
        ("START_DEPLOYMENT", "SUCCEEDED"),
        ("START_DEPLOYMENT", "ROLLBACK_SUCCEEDED"),
        ("PAUSE_SERVICE", "SUCCEEDED"),
        ("RESUME_SERVICE", "SUCCEEDED"),
        ("DELETE_SERVICE", "SUCCEEDED"),
    ]


def test_secrets_are_resolved_at_each_deployment(team: Team) -> None:
    secrets = team.cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="app", SecretString='{"where": "staging", "number": 1}')["ARN"]
    team.images.repository("coach")
    team.images.app("coach", "v1")
    service = team.create("coach", RuntimeEnvironmentSecrets={"ENVIRONMENT": f"{arn}:where::", "ALL": arn})
    assert ask(service["ServiceUrl"])["ENVIRONMENT"] == "staging"

    def deployed_with(content: str) -> str:
        secrets.put_secret_value(SecretId="app", SecretString=content)
        answer = team.apprunner.start_deployment(ServiceArn=service["ServiceArn"])
        return team.outcome(answer, service["ServiceArn"])

    secrets.put_secret_value(SecretId="app", SecretString='{"where": "too early"}')
    assert ask(service["ServiceUrl"])["ENVIRONMENT"] == "staging"
    assert deployed_with('{"where": "elsewhere"}') == "SUCCEEDED"
    assert ask(service["ServiceUrl"])["ENVIRONMENT"] == "elsewhere"
    assert deployed_with('{"nowhere": 1}') == "ROLLBACK_SUCCEEDED"
    assert ask(service["ServiceUrl"])["ENVIRONMENT"] == "elsewhere"
    log = team.cloud.state.joinpath("apprunner", "logs", service["ServiceName"], service["ServiceId"])
    assert f"Failed to fetch the secret {arn}: it has no key where." in log.joinpath("service/events").read_text()


def test_services_are_restarted_with_the_cloud(team: Team) -> None:
    team.images.repository("coach")
    team.images.app("coach", "v1")
    service = team.create("coach")
    assert team.cloud.stop() == 0
    assert "refused" in version_at(service["ServiceUrl"])
    team.cloud.start()
    wait_for(lambda: version_at(service["ServiceUrl"]) == "v1")
    answer = Team(team.cloud).apprunner.describe_service(ServiceArn=service["ServiceArn"])["Service"]
    assert (answer["Status"], answer["ServiceUrl"]) == ("RUNNING", service["ServiceUrl"])


def test_engine_none_runs_nothing_and_answers_for_the_image(tmp_path: Path) -> None:
    with Cloud(tmp_path / "state", "--engine", "none") as cloud:
        team = Team(cloud)
        team.images.repository("coach")

        def push(version: str) -> None:
            labels = {"org.opencontainers.image.version": version}
            team.images.image("coach", [archive()], tag="latest", config={"Labels": labels})

        push("v1")
        service = team.create("coach", RuntimeEnvironmentVariables={"ENVIRONMENT": "staging"})
        assert ask(service["ServiceUrl"]) == {"version": "v1", "environment": "staging"}
        push("v2")
        wait_for(lambda: ask(service["ServiceUrl"])["version"] == "v2")
        wait_for(lambda: team.operations(service["ServiceArn"])[0]["Status"] == "SUCCEEDED")  # else it is taken back
        cloud.kill()
        cloud.start()
        wait_for(lambda: _serves(service["ServiceUrl"]))
        assert ask(service["ServiceUrl"]) == {"version": "v2", "environment": "staging"}


def _serves(url: str) -> bool:
    try:
        ask(url)
    except OSError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="what is asserted is read from /proc")
def test_killed_cloud_leaves_no_processes(team: Team) -> None:
    script = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n" + SERVER
    )
    team.images.repository("coach")
    team.images.app("coach", "v1", script=script)
    service = team.create("coach")
    wait_for(lambda: len(processes_below(team.cloud.state)) == 2)  # the program and its child
    (before,) = (team.cloud.state / "apprunner" / "instances").iterdir()
    team.cloud.kill()
    wait_for(lambda: not processes_below(team.cloud.state))
    team.cloud.start()
    assert not before.exists()
    wait_for(lambda: version_at(service["ServiceUrl"]) == "v1")


def processes_below(state: Path) -> list[str]:
    """Return the processes whose working directory is in an instance's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(state / "apprunner"):
                found.append(process.name)
        except OSError:
            continue
    return found


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=HANG_SECONDS, check=True)
    return done.stdout.strip()


@pytest.mark.docker
def test_image_with_an_operating_system_runs_as_a_container(tmp_path: Path) -> None:
    """The image is busybox on scratch, pushed to the registry and pulled by the engine."""
    busybox = Path("/bin/busybox").read_bytes()
    with Cloud(tmp_path / "state", "--engine", "auto") as cloud:
        team = Team(cloud)
        team.images.repository("shell")
        push_busybox(team, busybox, "echo v1")
        service = team.create("shell", RuntimeEnvironmentVariables={"GREETING": "a b='c'"})
        arn, url = service["ServiceArn"], service["ServiceUrl"]
        wait_for(lambda: text_at(url) == "v1 a b='c' 8080\n")
        push_busybox(team, busybox, "echo v2")
        wait_for(lambda: text_at(url) == "v2 a b='c' 8080\n")
        wait_for(lambda: team.operations(arn)[0]["Status"] == "SUCCEEDED")
        wait_for(lambda: len(containers(cloud.registry)) == 1)  # the one before ends when nobody waits for it
        (listed,) = containers(cloud.registry)
        assert "127.0.0.1:" in listed
        assert "HTTP/1.1 401 Unauthorized" in text_at(url, "cloud")  # the container reaches the local cloud

        push_busybox(team, busybox, "exit 4")
        wait_for(lambda: team.operations(arn)[0]["Status"] == "ROLLBACK_SUCCEEDED")
        assert text_at(url).startswith("v2 ")
        name = listed.split()[1]
        cloud.kill()
        assert docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}") == name
        cloud.start()
        wait_for(lambda: text_at(url).startswith("v2 "))
        assert docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}") == ""
    assert containers(cloud.registry) == []
    assert docker("images", f"{cloud.registry}/shell", "--quiet") == ""


def containers(registry: str) -> list[str]:
    """Return image, name and ports of the containers of one cloud; other clouds may be running."""
    listed = docker(
        "ps", "--all", "--filter", "label=kaizen.localcloud", "--format", "{{.Image}} {{.Names}} {{.Ports}}"
    )
    return [line for line in listed.splitlines() if line.startswith(f"{registry}/")]


def push_busybox(team: Team, busybox: bytes, command: str) -> None:
    script = f"""#!/bin/busybox sh
[ "{command}" = "exit 4" ] && exit 4
/bin/busybox mkdir -p /www/cgi-bin
printf '#!/bin/busybox sh\\necho; echo "$({command}) $GREETING $PORT"\\n' > /www/cgi-bin/version
printf '#!/bin/busybox sh\\necho; /bin/busybox wget -S -O - $AWS_ENDPOINT_URL/v2/ 2>&1\\n' > /www/cgi-bin/cloud
/bin/busybox chmod +x /www/cgi-bin/version /www/cgi-bin/cloud
exec /bin/busybox httpd -f -p "$PORT" -h /www
"""
    entries = [folder("bin"), file("bin/busybox", busybox, 0o755), file("start", script.encode(), 0o755)]
    team.images.image("shell", [archive(*entries)], tag="latest", config={"Entrypoint": ["/start"]})


def text_at(url: str, name: str = "version") -> str:
    try:
        with urllib.request.urlopen(f"http://{url}/cgi-bin/{name}", timeout=HANG_SECONDS) as answer:
            content: bytes = answer.read()
            return content.decode()
    except OSError as error:
        return repr(error)
