"""One line of JSON for every request, for measurements."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.server.http_message import Call, Reply


class RequestLog:
    """Append requests to a file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def follow(self, call: Call, reply: Reply, subject: Mapping[str, str]) -> Reply:
        """Return the reply, its request written down when the last byte has been handed on.

        Args:
            call: what was asked.
            reply: what is answered.
            subject: what the request is called: its service and its operation, or method and path.
        """
        at = time.time()
        if isinstance(reply.body, bytes):
            self._write(at, call, reply.status, len(reply.body), subject)
            return reply
        return attrs.evolve(reply, body=self._stream(at, call, reply.status, reply.body, subject))

    def _stream(
        self, at: float, call: Call, status: int, parts: Iterable[bytes], subject: Mapping[str, str]
    ) -> Iterator[bytes]:
        sent = 0
        try:
            for part in parts:
                sent += len(part)
                yield part
        finally:
            self._write(at, call, status, sent, subject)

    def _write(self, at: float, call: Call, status: int, sent: int, subject: Mapping[str, str]) -> None:
        line = {
            "at": round(at, 4),
            **subject,
            "status": status,
            "bytes_in": call.body.received,
            "bytes_out": sent,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
