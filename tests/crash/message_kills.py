"""Kills commands while they write and send messages: each message is at its receiver once, by its key, or waits.

What is told is compared with what the ledger and the holds say: every entry that is news is in one message, and no
message is left behind in the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from attrs import define, evolve, field, frozen

from tests.crash import rollout_kills
from tests.crash.cloud_fork_server import CloudForkServer
from tests.crash.library import wait_for_result
from tests.crash.release_kills import NOT_REACHED, KillPoint
from tests.crash.sandbox import TeamSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tests.support.workspaces import CommandResult

TABLE = "kaizen-web"
TOPICS = {"started": "started", "deployed": "deployed", "verified": "promoted"}
"""What entries of the ledger are news of, in the stages of `COMMANDS`."""

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "hold": ("hold.add", "--env", "staging", "--env", "beta", "--reason", "a fair"),
    "promotion": ("promote-prod", "--yes"),
}
"""The commands that are killed: with several messages, and with one that is told while a deployment goes on."""

NEXT_COMMAND = ("hold.remove", "--env", "prod")
"""Changes nothing, since nobody holds prod, and sends what others have left."""

ARRIVAL = "arrival"
PAST = "2026-01-01T00:00:00.000000+00:00"


@define
class Inbox:
    """What one receiver was sent.

    Attributes:
        bodies: of all requests, by the key of their message, in order.
        process: the command that is killed when its message arrives; None for none.
        arrival: the number of the request at which it is killed, from 1.
        phase: whether that is `before` the answer or `after` it.
    """

    bodies: dict[str, list[bytes]] = field(factory=dict)
    process: subprocess.Popen[str] | None = None
    arrival: int = 0
    phase: str = ""
    _count: int = 0

    def accept(self, key: str, body: bytes) -> None:
        """Keep a message; kill the command now if this is the moment."""
        self._count += 1
        self.bodies.setdefault(key, []).append(body)
        self.strike("before")

    def strike(self, phase: str) -> None:
        """Kill the command if this is the moment."""
        if self.process is not None and (self._count, phase) == (self.arrival, self.phase):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Receiver:
    """A server that receives messages for several sandboxes at a time, each at a path of its own; a context manager."""

    def __enter__(self) -> Self:
        self.inboxes: dict[str, Inbox] = {}
        inboxes, guard = self.inboxes, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            """Accepts every message."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox = inboxes[self.path]
                with guard:
                    inbox.accept(self.headers["Webhook-Id"], body)
                with contextlib.suppress(OSError):
                    self.send_response(204)
                    self.end_headers()
                with guard:
                    inbox.strike("after")

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def open(self, name: str) -> tuple[str, Inbox]:
        """Return an address for messages, and its inbox."""
        path = f"/{name}"
        self.inboxes[path] = Inbox()
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}", self.inboxes[path]


@frozen(kw_only=True)
class MessageCases:
    """Commands that send messages, recorded without a kill.

    Attributes:
        moment: the state before them.
        fork_server: starts the clouds.
        receiver: where messages are sent.
        points: all kill points.
    """

    moment: TeamSandbox
    fork_server: CloudForkServer
    receiver: Receiver
    points: tuple[KillPoint, ...] = ()

    def kill_and_check(self, point: KillPoint, folder: Path) -> tuple[str, ...]:
        """Kill a command at a point, run it again, then another one; return what is wrong with the messages."""
        with self._copy(folder) as (copy, inbox):
            killed = self._kill(point, copy, inbox)
            inbox.process = None
            if killed.code != -signal.SIGKILL:
                return (NOT_REACHED,) if killed.code == 0 else (f"it exits {killed.code}: {killed.err}",)
            problems = [*_differences(copy, inbox, "after the kill")]
            rerun = copy.library.inv(*COMMANDS[point.scene])
            problems += [f"run again, it exits {rerun.code}: {rerun.err}"] if rerun.code else []
            problems += _differences(copy, inbox, "after the second run")
            _end_reservations(copy)
            copy.library.inv(*NEXT_COMMAND).expect_success()
            problems += _differences(copy, inbox, "after the next command")
            problems += [f"in the outbox is {sort_key}" for sort_key in _outbox(copy)]
            return tuple(problems)

    def _kill(self, point: KillPoint, copy: TeamSandbox, inbox: Inbox) -> CommandResult:
        if point.of == ARRIVAL:
            inbox.arrival, inbox.phase = point.number, point.phase
            inbox.process = copy.library.start(*COMMANDS[point.scene])
            return wait_for_result(inbox.process)
        copy.inject_fault({"park": True, "late": point.phase == "after"}, skip=point.number - 1, service="dynamodb")
        return rollout_kills.kill_at_breakpoint(copy.library.start(*COMMANDS[point.scene]), copy)

    def record(self, scene: str, folder: Path) -> tuple[KillPoint, ...]:
        """Run a command without a kill, and return its kill points: requests to the table, and messages."""
        with self._copy(folder) as (copy, inbox):
            count = len(copy.requests)
            copy.library.inv(*COMMANDS[scene]).expect_success()
            requests = [request for request in copy.requests[count:] if request["service"] == "dynamodb"]
            assert not [*_differences(copy, inbox, "unharmed")]
            labels = [
                *((f"dynamodb {request['operation']}", "request") for request in requests),
                *((f"message {number}", ARRIVAL) for number in range(len(inbox.bodies))),
            ]
        return tuple(
            KillPoint(scene=scene, number=number, phase=phase, label=label, of=of)
            for of in ("request", ARRIVAL)
            for number, (label, _) in enumerate((each for each in labels if each[1] == of), 1)
            for phase in ("before", "after")
        )

    @contextlib.contextmanager
    def _copy(self, folder: Path) -> Iterator[tuple[TeamSandbox, Inbox]]:
        """Yield a copy of the moment whose messages go to an inbox of their own."""
        address, inbox = self.receiver.open(folder.name)
        copy = self.moment.copy_to(folder).start_cloud(self.fork_server)
        configuration = copy.library.path / "kaizen.toml"
        topics = ", ".join(f'"{topic}"' for topic in (*TOPICS.values(), "held", "hold-removed"))
        table = f'\n[[notify]]\non = [{topics}]\nwebhook = "{address}"\nname = "team"\n'
        configuration.write_text(configuration.read_text(encoding="utf-8") + table, encoding="utf-8")
        try:
            yield copy, inbox
        finally:
            copy.destroy()


def prepare(
    moment: TeamSandbox,
    folder: Path,
    fork_server: CloudForkServer,
    receiver: Receiver,
    scenes: Sequence[str] = (*COMMANDS,),
) -> MessageCases:
    """Run commands that send messages once without a kill, and return their kill points.

    Args:
        moment: the state before a promotion to prod.
        folder: a new folder to work in.
        fork_server: starts the clouds.
        receiver: receives the messages.
        scenes: names of the commands.
    """
    cases = MessageCases(moment=moment, fork_server=fork_server, receiver=receiver)
    points = tuple(point for scene in scenes for point in cases.record(scene, folder / f"unharmed-{scene}"))
    return evolve(cases, points=points)


def _differences(copy: TeamSandbox, inbox: Inbox, when: str) -> Iterator[str]:
    """Yield what is told twice, or is neither told nor in the outbox; each message counts once, by its key."""
    for key, bodies in inbox.bodies.items():
        if len(set(bodies)) > 1:
            yield f"{when}: {key} was sent with different bodies"
    documents = {key: json.loads(bodies[0]) for key, bodies in inbox.bodies.items()}
    waiting = _outbox(copy)
    documents |= {
        json.loads(document)["key"]: json.loads(document)
        for sort_key, document in waiting.items()
        if sort_key.startswith("m#")
    }
    told = Counter(_identity(change) for document in documents.values() for change in document["changes"])
    told.update(
        _identity(json.loads(document)["change"]) for sort_key, document in waiting.items() if sort_key.startswith("n#")
    )
    told = Counter({change: count for change, count in told.items() if change[1] != "hold-removed"})
    expected = Counter(_recorded(copy, earliest=min((change[2] for change in told), default="")))
    yield from (f"{when}: {change} is told {told[change]} times" for change in told if told[change] != 1)
    yield from (f"{when}: {change} is told to nobody" for change in expected if change not in told)
    yield from (f"{when}: {change} never happened" for change in told if change not in expected)


def _identity(change: Mapping[str, str]) -> tuple[str, str, str]:
    return change["environment"], change["topic"], change["at"]


def _recorded(copy: TeamSandbox, *, earliest: str) -> Iterator[tuple[str, str, str]]:
    """Yield what was recorded since a time, as changes; holds that are gone were told all the same."""
    for item in _items(copy):
        partition, _, environment = item["pk"].partition("#")
        at = item.get("at", item.get("since", ""))
        if at < earliest or not earliest:
            continue
        if partition == "ledger" and item.get("event") in TOPICS:
            yield environment, TOPICS[item["event"]], at
        elif partition == "hold":
            yield environment, "held", at


def _outbox(copy: TeamSandbox) -> dict[str, str]:
    """Return what is in the outbox: documents by sort key."""
    return {item["sk"]: item["document"] for item in _items(copy) if item["pk"] == "outbox"}


def _items(copy: TeamSandbox) -> Iterator[Mapping[str, str]]:
    items: list[Mapping[str, Mapping[str, Any]]] = copy.call_aws("dynamodb", "Scan", TableName=TABLE)["Items"]
    for item in items:
        yield {name: next(iter(value.values())) for name, value in item.items()}


def _end_reservations(copy: TeamSandbox) -> None:
    """Let the reservations of runs that were killed end now, and the pauses after failed attempts."""
    for sort_key in _outbox(copy):
        if sort_key.startswith("m#"):
            copy.call_aws(
                "dynamodb",
                "UpdateItem",
                TableName=TABLE,
                Key={"pk": {"S": "outbox"}, "sk": {"S": sort_key}},
                UpdateExpression="SET #until = :past, #due = :past",
                ExpressionAttributeNames={"#until": "until", "#due": "due"},
                ExpressionAttributeValues={":past": {"S": PAST}},
            )
