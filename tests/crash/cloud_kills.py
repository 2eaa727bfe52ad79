"""Kills a process that changes the local cloud's state at its file operations, and restores the state that it leaves.

    python -m tests.crash.cloud_kills [STEP]

It kills at every operation, or at each STEPth one, and fails unless everything that was answered is restored, and the
change that was not answered completely or not at all. It is a program of its own, because it forks.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceStore
from kaizen_tasks.localcloud.moto import backend
from kaizen_tasks.localcloud.moto.backend import MotoBackend
from kaizen_tasks.localcloud.registry.manifests import parse_manifest
from kaizen_tasks.localcloud.registry.repositories import ImageRepository
from kaizen_tasks.localcloud.registry.store import BLOB_MOUNTING, ImageStore
from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody
from kaizen_tasks.localcloud.state.folder import lock_state_folder
from tests.localcloud.samples import CONFIG, digest_of, image

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT, REGION = "123456789012", "eu-west-1"
CHANGING_EVENTS = {"os.mkdir", "os.remove", "os.rename", "os.truncate"}
SERVICE = AppRunnerService(
    name="app", id="1", arn="arn", port=1, created=0, updated=0, resting="RUNNING", configuration={}, tags={}
)


class State:
    """Everything that a local cloud keeps.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        self.images = ImageStore(folder / "registry")
        self.services = ServiceStore(folder / "services")
        self._moto = MotoBackend(account=ACCOUNT, endpoint="127.0.0.1:1", journal=folder / "elsewhere.jsonl")
        self._moto.restore()

    def ask(self, target: str, document: object) -> Any:
        """Send a request to moto, and return its answer; None if it is refused."""
        content = json.dumps(document).encode()
        request = HttpRequest(
            method="POST",
            target="/",
            headers={"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"},
            body=RequestBody(io.BufferedReader(io.BytesIO(content)), len(content)),
        )
        service = "dynamodb" if target.startswith("DynamoDB") else "secretsmanager"
        response = self._moto.handle(request, service=service, region=REGION)
        assert isinstance(response.body, bytes)
        return json.loads(response.body) if response.status == 200 else None

    def dump(self) -> Any:
        """Return all of it as JSON."""
        items = self.ask("DynamoDB_20120810.Scan", {"TableName": "locks"})
        secret = self.ask("secretsmanager.GetSecretValue", {"SecretId": "app"})
        return {
            "repositories": {
                repository.name: [sorted(repository.tags.items()), sorted(repository.images), sorted(repository.layers)]
                for repository in self.images.repositories()
            },
            "setting": self.images.get_setting(BLOB_MOUNTING),
            "services": [service.resting for service in self.services.all()],
            "items": items and items["Items"],
            "secret": secret and secret["SecretString"],
        }


def upload(blob: bytes) -> Callable[[State], object]:
    """Return the change that uploads a blob."""

    def change(state: State) -> None:
        upload_id = state.images.blobs.start_upload("app")
        state.images.blobs.get_upload("app", upload_id).append(io.BytesIO(blob))
        state.images.add_layer("app", upload_id, digest_of(blob))

    return change


def put_image(layer: bytes) -> Callable[[State], object]:
    """Return the change that puts an image and moves a tag to it."""
    return lambda state: state.images.put_image("app", parse_manifest(image(layer)), "latest")


def put_item(number: int) -> Callable[[State], object]:
    """Return the change that puts an item."""
    item = {"name": {"S": f"env {number % 2}"}, "number": {"N": str(number)}}
    return lambda state: state.ask("DynamoDB_20120810.PutItem", {"TableName": "locks", "Item": item})


CREATE_TABLE = {
    "TableName": "locks",
    "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
TOKENS = ("0" * 32, "1" * 32)
CHANGES: tuple[Callable[[State], object], ...] = (
    lambda state: state.images.create_repository(ImageRepository(name="app", created_at=1.5)),
    *(upload(CONFIG), upload(b"one"), put_image(b"one"), upload(b"two"), put_image(b"two")),
    lambda state: state.images.untag("app", "latest"),
    lambda state: state.images.delete_image("app", parse_manifest(image(b"one")).digest),
    lambda state: state.images.put_setting(BLOB_MOUNTING, "ENABLED"),
    lambda state: state.services.put(SERVICE),
    lambda state: state.services.put(attrs.evolve(SERVICE, resting="PAUSED")),
    lambda state: state.ask("DynamoDB_20120810.CreateTable", CREATE_TABLE),
    put_item(1),
    put_item(2),
    lambda state: state.ask("DynamoDB_20120810.CreateTable", CREATE_TABLE),  # which is refused
    lambda state: state.ask(
        "secretsmanager.CreateSecret", {"Name": "app", "SecretString": "1", "ClientRequestToken": TOKENS[0]}
    ),
    put_item(3),
    put_item(4),  # after which the journal is compacted
    lambda state: state.ask(
        "secretsmanager.PutSecretValue", {"SecretId": "app", "SecretString": "2", "ClientRequestToken": TOKENS[1]}
    ),
)
"""Changes, of which each is made completely or not at all."""


class Killer:
    """Kills this process at one of its file operations, in the middle if it is a write.

    Args:
        at: the number of the operation.
    """

    def __init__(self, at: int) -> None:
        self._remaining = at
        self._write = os.write
        os.write = self._write_or_die
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGING_EVENTS or is_write:
            self._count()

    def _write_or_die(self, descriptor: int, content: Any) -> int:
        if self._remaining == 1:
            self._write(descriptor, content[: len(content) // 2])
        self._count()
        return self._write(descriptor, content)

    def _count(self) -> None:
        self._remaining -= 1
        if not self._remaining:
            os.kill(os.getpid(), signal.SIGKILL)


def run_child(work: Callable[[], None]) -> int:
    """Run a function in a forked process, and return its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as the parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def make_changes(folder: Path, answers: int, *, kill_at: int) -> None:
    """Make all changes, and write a byte for each that is answered."""
    with lock_state_folder(folder / "state"):
        state = State(folder / "state")
        write = os.write
        if kill_at:
            Killer(kill_at)
        for change in CHANGES:
            change(state)
            write(answers, b".")


def restore(folder: Path) -> Any:
    """Return the state that another process restores."""
    result = folder / "result.json"

    def dump() -> None:
        with lock_state_folder(folder / "state"):
            result.write_text(json.dumps(State(folder / "state").dump()))

    assert run_child(dump) == 0
    return json.loads(result.read_text())


def list_states(folder: Path) -> list[Any]:
    """Return the states before and after each change, without a kill."""
    result = folder / "states.json"

    def dump_each() -> None:
        with lock_state_folder(folder / "state"):
            state = State(folder / "state")
            states = [state.dump()]
            for change in CHANGES:
                change(state)
                states.append(state.dump())
        result.write_text(json.dumps(states))

    assert run_child(dump_each) == 0
    states: list[Any] = json.loads(result.read_text())
    return states


def kill_everywhere(step: int) -> int:
    """Kill a process at each operation, until one is not reached; return how many were right."""
    with TemporaryDirectory() as folder:
        states = list_states(Path(folder))
    for kill_at in range(1, sys.maxsize, step):
        with TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            receiver, sender = os.pipe()
            stack.callback(os.close, receiver)
            status = run_child(lambda: make_changes(Path(name), sender, kill_at=kill_at))  # noqa: B023 - it has ended
            os.close(sender)
            assert status in (0, signal.SIGKILL), status
            answered = len(os.read(receiver, 1000))
            state = restore(Path(name))
        expected = states[answered : answered + 2] if status else states[-1:]
        assert state in expected, f"operation {kill_at}, after {answered} answers: {state} instead of {expected}"
        if status == 0:
            break
    return kill_at // step


def main() -> None:
    """Kill and restore, and print how often."""
    import moto.dynamodb.responses
    import moto.secretsmanager.responses  # noqa: F401 - loaded once, for all of them

    backend.COMPACTION_ENTRIES = 5
    count = kill_everywhere(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    sys.stdout.write(f"{count} kills, and each time what was answered was restored\n")


if __name__ == "__main__":
    main()
