"""`kaizen demo` with the engine `bundle`."""

from __future__ import annotations

import signal
import socket
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.support import workspaces
from tests.support.waiting import HANG_SECONDS
from tests.support.workspaces import assert_refused, mutating_operations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.workspaces import CommandResult, Workspace

pytestmark = pytest.mark.e2e

KEYS = {"repository", "service", "url", "image_tag", "digest", "running", "ledger", "lock", "hold", "state", "drift"}

TRANSACTION_ACTIONS = {"TransactWriteItems": "PutItem"}
"""What IAM is asked for each part of a transaction; the demo puts entries of the ledger into them."""

FIVE = ["staging", "prod", "mark", "shane", "dom"]


def environments(document: Any) -> list[dict[str, Any]]:
    """Return the environments of the document."""
    return list(document["environments"].values())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[CommandResult, Path]]:
    """Run a demo on either kind of ECS, concurrently; return each result with the folder that has its HOME and TMPDIR.

    The second one is in two accounts. The demo on App Runner is the one of the fixture `demo`.
    """
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    with ThreadPoolExecutor() as pool:
        return list(zip(pool.map(run_demo, folders, ("ecs-express", "ecs --accounts")), folders, strict=True))


def run_demo(folder: Path, flags: str) -> CommandResult:
    """Run a demo with a HOME of its own."""
    command = f"demo --engine bundle --json --platform {flags}"
    words = (sys.executable, "-m", "kaizen_tasks", *command.split())
    return workspaces.run(words, cwd=folder, environ=workspaces.clean_environ(folder))


@pytest.fixture(params=[0, 1], ids=["ecs-express", "ecs"])
def ended(both: list[tuple[CommandResult, Path]], request: pytest.FixtureRequest) -> tuple[CommandResult, Path]:
    """Return one of the two."""
    index: int = request.param
    return both[index]


def test_json_has_the_documented_keys(ended: tuple[CommandResult, Path]) -> None:
    result, _ = ended
    document = result.expect_success().document
    assert set(document) >= {"app", "environments", "work"}
    assert set(document["work"]) == {"repository", "remote", "endpoint_url", "environ"}
    assert list(document["environments"]) == FIVE
    assert [set(each) for each in environments(document)] == [KEYS | {"running_digest"}] * 5


def test_same_digest_runs_in_five_environments(ended: tuple[CommandResult, Path]) -> None:
    result, _ = ended
    found = environments(result.document)
    assert len({each["digest"] for each in found}) == 1
    assert [each["running"] for each in found] == [{"version": "v0.2.0", "environment": name} for name in FIVE]
    assert [(each["image_tag"], each["ledger"]["event"], each["drift"]) for each in found] == [
        ("v0.2.0", "verified", [])
    ] * 5


def test_services_are_told_a_digest_and_no_tag_moves(ended: tuple[CommandResult, Path]) -> None:
    result, _ = ended
    assert "deploy prod             deploy my-personal-coach-service with v0.2.0" in result.err
    assert "latest" not in result.err


def test_nothing_is_mounted_across_accounts(both: list[tuple[CommandResult, Path]]) -> None:
    result, _ = both[1]
    lines = [line.strip() for line in result.err.splitlines()]

    def copies(name: str) -> str:
        return " ".join(line for line in lines if f" copy {name} " in line)

    assert "from staging-coach-app in 123456789012 (eu-west-1), through this machine" in copies("prod")
    assert "blobs uploaded" in copies("prod")
    assert "mounted" not in copies("prod")
    assert "blobs mounted" in copies("mark")
    assert lines[-1].startswith("One build, five environments in two accounts and regions, the same bytes, in ")


def test_stderr_shows_the_commands_of_the_readme(ended: tuple[CommandResult, Path]) -> None:
    result, _ = ended
    typed = [line for line in result.err.splitlines() if line.startswith("$ ")]
    assert typed[1:] == ["$ inv release-staging", "$ inv promote-prod --yes", "$ inv promote-beta"]


def test_stops_cloud_and_apps(ended: tuple[CommandResult, Path]) -> None:
    result, _ = ended
    addresses = [result.document["work"]["endpoint_url"], *(each["url"] for each in environments(result.document))]
    assert [address for address in addresses if answers(address)] == []


def test_temporary_folder_is_empty_afterwards(ended: tuple[CommandResult, Path]) -> None:
    _, folder = ended
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
def test_no_process_is_left(ended: tuple[CommandResult, Path]) -> None:
    _, folder = ended
    deadline = time.monotonic() + HANG_SECONDS
    while workspaces.processes_mentioning(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workspaces.processes_mentioning(folder) == []


def test_two_demos_run_concurrently(both: list[tuple[CommandResult, Path]]) -> None:
    one, two = (result.expect_success().document["work"]["endpoint_url"] for result, _ in both)
    assert one != two


def test_every_change_of_the_demo_is_allowed_by_the_printed_policy(demo: Workspace) -> None:
    """The services and repositories of a rehearsal were created before, with other rights."""
    policy = demo.inv("setup", "--print-iam").expect_success().document
    allowed = {action for each in policy["Statement"] if each["Effect"] == "Allow" for action in each["Action"]}
    operations = [(each["service"], each["operation"]) for each in demo.requests if "operation" in each]
    first = max(index for index, (_, operation) in enumerate(operations) if operation == "CreateService")

    changes = {
        f"{service}:{TRANSACTION_ACTIONS.get(operation, operation)}"
        for service, operation in operations[first + 1 :]
        if service != "registry" and not operation.startswith(workspaces.READ_PREFIXES)
    }

    assert {"ecr:PutImage", "apprunner:StartDeployment", "dynamodb:PutItem"} <= changes <= allowed


def test_keep_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()
    environ = workspaces.clean_environ(tmp_path / "user")
    words = (sys.executable, "-m", "kaizen_tasks", "demo", "--keep", str(tmp_path))
    result = workspaces.run(words, cwd=tmp_path, environ=environ)
    assert result.code == 2
    assert result.err.splitlines()[1] == "nothing has been started"


def test_keep_prints_commands_that_continue_by_hand(demo_run: tuple[CommandResult, Workspace]) -> None:
    result, workspace = demo_run
    hints = result.err.partition("To go on by hand:\n")[2]
    assert hints
    (enter,) = [line for line in hints.splitlines() if line.strip().startswith("cd ")]
    script = f"{enter} && {workspaces.program('inv')} status --json"
    bare = {name: value for name, value in workspace.environ.items() if not name.startswith(("AWS_", "INVOKE_"))}
    status = workspaces.run(("sh", "-c", script), cwd=workspace.state, environ=bare).expect_success()
    assert [each["drift"] for each in environments(status.document)] == [[]] * 5


def answers(address: str) -> bool:
    """Return whether a server listens at a URL."""
    place = urlsplit(address)
    with socket.socket() as client:
        return client.connect_ex((place.hostname, place.port)) == 0


def test_keep_leaves_credentials_that_only_their_owner_can_read(
    demo_run: tuple[CommandResult, Workspace],
) -> None:
    result, workspace = demo_run
    environ = result.document["work"]["environ"]
    assert stat.S_IMODE(workspace.state.stat().st_mode) == 0o700
    holders = [path for path in workspace.state.iterdir() if path.is_file() and holds_secret(path, environ)]
    assert {path.name for path in holders} == {"cloud.json", "credentials.json", "environ"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in workspace.state.iterdir() if path.is_file()} == {0o600}


def holds_secret(path: Path, environ: Mapping[str, str]) -> bool:
    return environ["AWS_SECRET_ACCESS_KEY"].encode() in path.read_bytes()


def test_dashboard_is_served_until_ctrl_c_and_changes_nothing(demo: Workspace) -> None:
    started = len(demo.requests)
    with demo.start("dashboard", "--serve", "--port", "0") as command:
        assert command.stdout is not None
        line = command.stdout.readline()
        address = line.split(" at ")[1].split()[0]
        with urlopen(address, timeout=HANG_SECONDS) as response:
            page = response.read().decode()
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=HANG_SECONDS)

    assert (command.returncode, out, err) == (0, "", "")
    assert line == f"coach at {address} on this machine; Ctrl-C ends\n"
    assert "<title>coach: what runs where</title>" in page
    assert mutating_operations(demo.requests[started:]) == []


def test_port_in_use_is_refused_with_the_way_to_a_free_one(demo: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = demo.inv("dashboard", "--serve", "--port", str(port))

    assert_refused(refused, 3)
    assert refused.err.splitlines()[0].startswith(f"error: --port {port}: cannot be opened on 127.0.0.1: ")
    assert "inv dashboard --serve --port 0" in refused.err
