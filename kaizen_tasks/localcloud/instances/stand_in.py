"""Instances that run nothing: one thread answers for all of them, so that a thousand services need little memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kaizen_tasks.localcloud.instances.spec import InstanceSpec

_Result = TypeVar("_Result")

_VERSION_LABEL = "org.opencontainers.image.version"
_ENVIRONMENT_VARIABLE = "ENVIRONMENT"
_BACKLOG = 16
_IDLE_SECONDS = 60
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,7}) *\r\n", re.IGNORECASE)


class StandIns:
    """Answers every request to an instance with the version of its image and the environment in its variables."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._instances: set[StandInInstance] = set()

    def start(self, spec: InstanceSpec) -> StandInInstance:
        """Open a port for an instance."""
        document = {
            "version": spec.image.labels.get(_VERSION_LABEL, ""),
            "environment": spec.variables.get(_ENVIRONMENT_VARIABLE, ""),
        }
        with self._lock:
            server = self._run(_listen(json.dumps(document).encode()))
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


async def _listen(body: bytes) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                await _converse(reader, writer, body)
        finally:
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0, backlog=_BACKLOG)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
    """Answer the requests of one connection."""
    head_lines = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    while True:
        async with asyncio.timeout(_IDLE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            length = _CONTENT_LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
        writer.write(head_lines if head.startswith(b"HEAD ") else head_lines + body)
        await writer.drain()


async def _close(server: asyncio.Server) -> None:
    server.close()


async def _cancel_connections() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # in which the loop closes their sockets
