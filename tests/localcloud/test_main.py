"""The local cloud as a process."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.samples import RawRegistry
from tests.support.local_cloud import Cloud
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run a cloud that the test can stop."""
    with Cloud(tmp_path / "state") as running:
        yield running


def test_state_file_names_the_endpoint_and_process(cloud: Cloud) -> None:
    description = json.loads((cloud.state / "cloud.json").read_bytes())
    port = int(cloud.registry.partition(":")[2])
    credentials = {name: description.pop(name) for name in ("access_key_id", "secret_access_key", "control_token")}
    assert json.loads((cloud.state / "credentials.json").read_bytes()) == credentials
    assert description == {
        "pid": cloud.pid,
        "port": port,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region": "eu-west-1",
        "account": "123456789012",
    }


def test_sigterm_stops_the_cloud_despite_open_connections(cloud: Cloud) -> None:
    client = RawRegistry(cloud)  # a connection that is open does not keep it
    assert client.ask("GET", "/v2/").status == 200
    assert cloud.stop() == 0
    assert not (cloud.state / "cloud.json").exists()
    client.connection.close()
    cloud.start()


def test_restart_keeps_port_and_state(cloud: Cloud) -> None:
    where = cloud.endpoint_url
    cloud.client("ecr").create_repository(repositoryName="app")
    client = RawRegistry(cloud)
    digest = client.push("app", "v1", b"layer")
    client.connection.close()
    cloud.stop()
    cloud.start()
    assert cloud.endpoint_url == where
    client.connection.connect()
    answer = client.ask("HEAD", "/v2/app/manifests/v1")  # the password of before is still good
    assert answer.headers["Docker-Content-Digest"] == digest
    client.connection.close()


def test_dates_of_repositories_images_and_services_survive_a_kill(cloud: Cloud) -> None:
    cloud.client("ecr").create_repository(repositoryName="app")
    client = RawRegistry(cloud)
    client.push("app", "v1", b"layer")
    client.connection.close()
    image = {"ImageIdentifier": f"{cloud.registry}/app:v1", "ImageRepositoryType": "ECR"}
    role = {"AccessRoleArn": "arn:aws:iam::123456789012:role/ecr"}
    source = {"ImageRepository": image, "AuthenticationConfiguration": role, "AutoDeploymentsEnabled": False}
    cloud.client("apprunner").create_service(ServiceName="app-service", SourceConfiguration=source)

    def dates() -> list[Any]:
        ecr = cloud.client("ecr")
        service = cloud.client("apprunner").list_services()["ServiceSummaryList"][0]
        groups = cloud.client("logs").describe_log_groups()["logGroups"]
        return [
            ecr.describe_repositories()["repositories"][0]["createdAt"],
            ecr.describe_images(repositoryName="app")["imageDetails"][0]["imagePushedAt"],
            service["CreatedAt"],
            sorted((group["logGroupName"], group["creationTime"]) for group in groups),
        ]

    def status() -> str:
        return str(cloud.client("apprunner").list_services()["ServiceSummaryList"][0]["Status"])

    wait_for(lambda: status() == "CREATE_FAILED")  # the image is not one that runs
    before = dates()
    assert len(before[3]) > 0
    cloud.kill()
    cloud.start()
    assert dates() == before


def test_restart_takes_another_port_if_the_previous_one_is_in_use(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    (tmp_path / "other" / "port").write_text(cloud.registry.partition(":")[2])
    with Cloud(tmp_path / "other") as other:
        assert other.endpoint_url != cloud.endpoint_url


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kaizen_tasks.localcloud", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


def test_second_cloud_on_a_state_folder_is_refused(cloud: Cloud) -> None:
    second = run("--state", str(cloud.state))
    assert second.returncode == 3
    assert second.stderr.splitlines() == [
        f"another local cloud is running on {cloud.state}: process {cloud.pid}, at {cloud.endpoint_url}",
        "nothing was started",
        f"stop it (kaizen local.down --state {cloud.state}), or choose another --state",
    ]
    assert cloud.client("ecr").describe_registry()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_cloud_whose_folder_is_deleted_stops_and_leaves_the_next_one_alone(cloud: Cloud, *, is_replaced: bool) -> None:
    tables = cloud.client("dynamodb")
    tables.list_tables()
    cloud.state.rename(cloud.state.with_name("gone"))
    if is_replaced:
        cloud.state.mkdir(mode=0o700)
        (cloud.state / "lock").touch()
        (cloud.state / "cloud.json").write_text("of the next cloud")
    code, error = cloud.wait()
    assert code == 1
    assert error.splitlines() == [
        f"{cloud.state} was deleted or replaced while the local cloud was running on it",
        "the local cloud has stopped, with the apps that it ran",
        "start another one: inv local.up",
    ]
    assert [path.name for path in cloud.state.glob("*.json")] == ["cloud.json"] * is_replaced
    cloud.state = cloud.state.with_name("gone")
    cloud.start()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("3\n", "is in format 3 of a newer kaizen-tasks; this one reads formats up to 2"),
        ("two\n", "format cannot be read: ValueError: invalid literal for int()"),
        ("", "format cannot be read: ValueError: invalid literal for int()"),
    ],
)
def test_state_of_a_newer_version_is_refused_and_unchanged(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "format").write_text(content)
    refused = run("--state", str(tmp_path / "state"))
    assert refused.returncode == 3
    assert message in refused.stderr.splitlines()[0]
    assert refused.stderr.splitlines()[-1].endswith("or choose another --state")
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"format", "lock"}
    assert (tmp_path / "state" / "format").read_text() == content


def test_state_of_an_older_version_is_marked_with_the_present_format(cloud: Cloud) -> None:
    cloud.client("ecr").create_repository(repositoryName="app")
    cloud.stop()
    (cloud.state / "format").unlink()
    cloud.start()
    assert len(cloud.client("ecr").describe_repositories()["repositories"]) == 1
    assert (cloud.state / "format").read_text() == "2\n"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        *((name, "") for name in ("credentials.json", "secret", "port", "registry/settings.json")),
        ("secret", "short"),
        ("credentials.json", "[]"),
        ("credentials.json", '{"access_key_id": 1, "secret_access_key": "", "control_token": ""}'),
        ("registry/settings.json", "[1]"),
        ("registry/repositories/app.json", ""),
        ("registry/repositories/app.json", '{"name": "app", "images": {}, "of_another_version": 1}'),
        ("apprunner/services/0.json", "{}"),
        ("apprunner/services/0.json", '{"operations": [{}]}'),
        ("apprunner/services/0.json", "null"),
    ],
)
def test_damaged_file_is_refused_with_its_name(tmp_path: Path, file: str, content: str) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    path = state / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    refused = run("--state", str(state))
    lines = refused.stderr.splitlines()
    assert (refused.returncode, len(lines)) == (3, 3)
    assert lines[0].startswith(f"{path} cannot be read: ")
    assert lines[1:] == [
        "nothing was started, and nothing changed",
        "restore or remove that file, or choose another --state",
    ]


def test_requested_port_in_use_is_an_error(cloud: Cloud, tmp_path: Path) -> None:
    port = cloud.registry.partition(":")[2]
    second = run("--state", str(tmp_path / "second"), "--port", port)
    assert (second.returncode, second.stderr.splitlines()[0]) == (3, f"port {port} is in use")


def test_prints_one_line_and_stops_on_sigint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        guard = threading.Timer(HANG_SECONDS, process.kill)
        guard.start()
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        guard.cancel()
    assert first.startswith("local cloud of 123456789012 at http://127.0.0.1:")
    assert (rest, process.returncode) == ("", 0)


def test_start_imports_neither_moto_nor_botocore_nor_werkzeug() -> None:
    code = (
        "import sys, kaizen_tasks.localcloud.__main__;"
        "sys.exit(sorted({'moto', 'boto3', 'botocore', 'werkzeug'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_missing_moto_is_an_error_with_the_pip_command(tmp_path: Path) -> None:
    code = (
        "import sys, kaizen_tasks.localcloud.__main__ as m;"
        "m.find_spec = lambda name: None;"
        "sys.exit(m.main(['--state', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert (done.returncode, "kaizen-tasks[local]" in done.stderr) == (3, True)


def test_state_is_readable_by_its_owner_only(cloud: Cloud, repository: Callable[..., str]) -> None:
    client = RawRegistry(cloud)
    client.push(repository(), "v1", b"layer")
    client.connection.close()
    cloud.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    paths = [cloud.state, *cloud.state.rglob("*")]
    assert {"cloud.json", "credentials.json", "secret", "port", "lock", "log", "requests.jsonl", "elsewhere.jsonl"} <= {
        path.name for path in paths
    }
    assert {stat.filemode(path.stat().st_mode) for path in paths} == {"drwx------", "-rw-------"}


def test_state_folder_of_an_earlier_cloud_becomes_private(cloud: Cloud) -> None:
    cloud.stop()
    cloud.state.chmod(0o755)
    cloud.start()
    assert stat.S_IMODE(cloud.state.stat().st_mode) == 0o700


def test_shared_folder_with_other_files_is_refused_and_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "somebody's").touch()
    shared.chmod(0o777)
    refused = run("--state", str(shared))
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (
        3,
        f"other users can access {shared}, which is not the folder of a local cloud",
    )
    assert stat.S_IMODE(shared.stat().st_mode) == 0o777
    assert [path.name for path in shared.iterdir()] == ["somebody's"]


def test_clock_speed_shortens_deployments_and_the_validity_of_passwords(tmp_path: Path) -> None:
    with Cloud(tmp_path / "cloud", "--clock-speed", "100000", "--deploy-seconds", "3600") as hasty:
        data = hasty.client("ecr").get_authorization_token()["authorizationData"][0]
        ask = urllib.request.Request(
            f"{hasty.endpoint_url}/v2/", headers={"Authorization": f"Basic {data['authorizationToken']}"}
        )
        while (status := status_of(ask)) == 200:  # for 12 hours, which are half a second
            time.sleep(0.05)
        assert status == 403


def status_of(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=HANG_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_invalid_clock_speed_is_refused(speed: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(tmp_path), "--clock-speed", speed],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 2
    assert b"--clock-speed" in ran.stderr
