"""`kaizen demo`: the whole journey without an engine."""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support import workspace
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workspace import CommandResult, Workspace

pytestmark = pytest.mark.e2e

KEYS = {"repository", "service", "url", "image_tag", "digest", "running", "ledger", "lock", "hold", "drift"}

FIVE = ["staging", "prod", "mark", "shane", "dom"]


def environments(document: Any) -> list[dict[str, Any]]:
    """Return what the document says of each environment."""
    return list(document["environments"].values())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[CommandResult, Path]]:
    """Run two demos at once that keep nothing: what each said, and the folder with its home and temporary folder."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    with ThreadPoolExecutor() as pool:
        return list(zip(pool.map(run_demo, folders), folders, strict=True))


def run_demo(folder: Path) -> CommandResult:
    """Run a demo to its end, for a user of its own."""
    words = (sys.executable, "-m", "kaizen_tasks", "demo", "--engine", "bundle", "--json")
    return workspace.run(words, cwd=folder, environ=workspace.clean_environ(folder))


@pytest.fixture
def ended(both: list[tuple[CommandResult, Path]]) -> tuple[CommandResult, Path]:
    """Return one of them."""
    return both[0]


def test_prints_one_document_of_the_contract(ended: tuple[CommandResult, Path]) -> None:
    said, _ = ended
    document = said.expect_success().document
    assert set(document) >= {"app", "environments", "work"}
    assert set(document["work"]) == {"repository", "remote", "endpoint_url", "environ"}
    assert list(document["environments"]) == FIVE
    assert [set(each) for each in environments(document)] == [KEYS] * 5


def test_brings_the_same_bytes_to_five_environments(ended: tuple[CommandResult, Path]) -> None:
    said, _ = ended
    found = environments(said.document)
    assert len({each["digest"] for each in found}) == 1
    assert [each["running"] for each in found] == [{"version": "v0.2.0", "environment": name} for name in FIVE]
    assert [(each["image_tag"], each["ledger"]["event"], each["drift"]) for each in found] == [
        ("v0.2.0", "verified", [])
    ] * 5


def test_types_the_commands_of_the_readme_before_the_eyes_of_people(ended: tuple[CommandResult, Path]) -> None:
    said, _ = ended
    typed = [line for line in said.err.splitlines() if line.startswith("$ ")]
    assert typed[1:] == ["$ inv release-staging", "$ inv promote-prod --yes", "$ inv promote-beta"]


def test_stops_everything_that_it_started(ended: tuple[CommandResult, Path]) -> None:
    said, _ = ended
    addresses = [said.document["work"]["endpoint_url"], *(each["url"] for each in environments(said.document))]
    assert [address for address in addresses if answers(address)] == []


def test_leaves_nothing_in_the_temporary_folder(ended: tuple[CommandResult, Path]) -> None:
    _, folder = ended
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
def test_leaves_no_process_behind(ended: tuple[CommandResult, Path]) -> None:
    _, folder = ended
    deadline = time.monotonic() + HANG_SECONDS
    while workspace.processes_mentioning(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workspace.processes_mentioning(folder) == []


def test_runs_twice_at_once(both: list[tuple[CommandResult, Path]]) -> None:
    one, two = (said.expect_success().document["work"]["endpoint_url"] for said, _ in both)
    assert one != two


def test_refuses_to_keep_its_things_among_others(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()
    environ = workspace.clean_environ(tmp_path / "user")
    words = (sys.executable, "-m", "kaizen_tasks", "demo", "--keep", str(tmp_path))
    said = workspace.run(words, cwd=tmp_path, environ=environ)
    assert said.code == 2
    assert said.err.splitlines()[1] == "nothing has been started"


def test_keeps_a_world_to_go_on_in(demo_run: tuple[CommandResult, Workspace]) -> None:
    said, world = demo_run
    hints = said.err.partition("To go on by hand:\n")[2]
    assert hints
    (enter,) = [line for line in hints.splitlines() if line.strip().startswith("cd ")]
    script = f"{enter} && {workspace.program('inv')} status --json"
    bare = {name: value for name, value in world.environ.items() if not name.startswith(("AWS_", "INVOKE_"))}
    status = workspace.run(("sh", "-c", script), cwd=world.state, environ=bare).expect_success()
    assert [each["drift"] for each in environments(status.document)] == [[]] * 5


def answers(address: str) -> bool:
    """Return whether anything listens there."""
    place = urlsplit(address)
    with socket.socket() as client:
        return client.connect_ex((place.hostname, place.port)) == 0
