"""Instances that run nothing: one thread answers for all of them, so that a thousand services need little memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kaizen_tasks.localcloud.instances.spec import InstanceSpec

_Result = TypeVar("_Result")

_ANSWERS_LABEL = "dev.kaizen.stand-in.answers"
_VERSION_LABEL = "org.opencontainers.image.version"
_ENVIRONMENT_VARIABLE = "ENVIRONMENT"
_BACKLOG = 16
_IDLE_SECONDS = 60
_ROUNDS = 8
_CONNECTION = "connection"
_HEAD_END = b"\r\n\r\n"
_STATUSES_WITHOUT_BODY = (204, 304)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,7}) *\r\n", re.IGNORECASE)


@attrs.frozen
class Answers:
    """What an instance answers: by default, the version of its image and the environment in its variables.

    Attributes:
        by_request: answers by request, such as `GET /version`.
        default: the answer to all other requests.
    """

    by_request: Mapping[bytes, bytes]
    default: bytes

    @classmethod
    def of_instance(cls, spec: InstanceSpec) -> Answers:
        """Return the answers that the labels of an image ask for, with its version and environment filled in."""
        version = spec.image.labels.get(_VERSION_LABEL, "")
        values = {"{version}": version, "{environment}": spec.variables.get(_ENVIRONMENT_VARIABLE, "")}
        documents = json.loads(spec.image.labels.get(_ANSWERS_LABEL, "{}"))
        default = {"json": {"version": "{version}", "environment": "{environment}"}}
        by_request = {request.encode(): _render_answer(document, values) for request, document in documents.items()}
        return cls(by_request, _render_answer(default, values))

    def find(self, head: bytes) -> bytes:
        """Return the answer to a request, by its first line and headers."""
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        answer = self.by_request.get(method + b" " + path, self.default)
        return answer.partition(_HEAD_END)[0] + _HEAD_END if method == b"HEAD" else answer


def _render_answer(document: Mapping[str, Any], values: Mapping[str, str]) -> bytes:
    """Return an answer as it is sent: its status, headers, and its JSON or text."""
    is_json, status = "json" in document, document.get("status", 200)
    text = json.dumps(document["json"], ensure_ascii=False) if is_json else document.get("text", "")
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    body = b"" if status in _STATUSES_WITHOUT_BODY else text.encode()
    headers = {name.title(): value for name, value in document.get("headers", {}).items()}
    headers = {"Content-Type": "application/json" if is_json else "text/plain", **headers, "Content-Length": len(body)}
    lines = (f"HTTP/1.1 {status} Stand-In", *(f"{name}: {value}" for name, value in headers.items()))
    return "\r\n".join(lines).encode() + _HEAD_END + body


class StandIns:
    """Answers the requests to all instances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._instances: set[StandInInstance] = set()

    def start(self, spec: InstanceSpec) -> StandInInstance:
        """Open a port for an instance."""
        answers = Answers.of_instance(spec)
        with self._lock:
            server = self._run(_listen(answers))
            instance = StandInInstance(server, self)
            self._instances.add(instance)
        return instance

    def stop(self, instance: StandInInstance) -> None:
        """Close the port of an instance. The thread ends with the last one."""
        with self._lock:
            if instance not in self._instances:
                return
            self._instances.discard(instance)
            self._run(_close(instance.server))
            if not self._instances:
                self._end_thread()

    def _run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="stand-ins", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end_thread(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._run(_cancel_connections())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None


class StandInInstance:
    """An instance that is healthy as long as its port is open."""

    may_fail = False

    def __init__(self, server: asyncio.Server, stand_ins: StandIns) -> None:
        self.server = server
        self.port: int = server.sockets[0].getsockname()[1]
        self._stand_ins = stand_ins

    def accepts_connections(self, timeout: float) -> bool:
        """Return True."""
        return True

    def exit_code(self) -> int | None:
        """Return None: it never exits."""
        return None

    def stop(self) -> None:
        """Close its port."""
        self._stand_ins.stop(self)


class StandInCommand:
    """A command that has not run: it has printed what would run, and ended well."""

    may_fail = False
    port = 0

    def __init__(self, spec: InstanceSpec) -> None:
        spec.output.parent.mkdir(parents=True, exist_ok=True)
        with spec.output.open("a", encoding="utf-8") as output:
            output.write(f"[local cloud] stand-in image, not run: {shlex.join(spec.command) or 'its own command'}\n")

    def accepts_connections(self, timeout: float) -> bool:
        """Return False."""
        return False

    def exit_code(self) -> int | None:
        """Return 0."""
        return 0

    def stop(self) -> None:
        """Do nothing: it has ended."""


async def _listen(answers: Answers) -> asyncio.Server:
    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(reader, writer, answers), name=_CONNECTION)
        task.add_done_callback(lambda _task: writer.close())  # also of a task that is cancelled before it has begun

    return await asyncio.start_server(accept, "127.0.0.1", 0, backlog=_BACKLOG)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
    with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
        await _converse(reader, writer, answers)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
    """Answer the requests of one connection."""
    while True:
        async with asyncio.timeout(_IDLE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            length = _CONTENT_LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
        writer.write(answers.find(head))
        await writer.drain()


async def _close(server: asyncio.Server) -> None:
    """Close a port once the connections that it has accepted are set up: asyncio loses their sockets else."""
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    await _pass_rounds()
    server.close()


async def _cancel_connections() -> None:
    for task in asyncio.all_tasks():
        if task.get_name() == _CONNECTION:
            task.cancel()
    await _pass_rounds()


async def _pass_rounds() -> None:
    """Let the loop do what it has to do at once, such as closing sockets."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
