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

    from kaizen_tasks.localcloud.server.http_message import HttpRequest, HttpResponse


class AccessLog:
    """Append requests to a file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, request: HttpRequest, response: HttpResponse, fields: Mapping[str, str]) -> HttpResponse:
        """Return the reply, its request written down when the last byte has been handed on.

        Args:
            request: what was asked.
            response: what is answered.
            fields: what the request is called: its service and its operation, or method and path.
        """
        timestamp = time.time()
        if isinstance(response.body, bytes):
            self._write(timestamp, request, response.status, len(response.body), fields)
            return response
        return attrs.evolve(response, body=self._stream(timestamp, request, response.status, response.body, fields))

    def _stream(
        self, timestamp: float, request: HttpRequest, status: int, chunks: Iterable[bytes], fields: Mapping[str, str]
    ) -> Iterator[bytes]:
        bytes_sent = 0
        try:
            for chunk in chunks:
                bytes_sent += len(chunk)
                yield chunk
        finally:
            self._write(timestamp, request, status, bytes_sent, fields)

    def _write(
        self, timestamp: float, request: HttpRequest, status: int, bytes_sent: int, fields: Mapping[str, str]
    ) -> None:
        line = {
            "at": round(timestamp, 4),
            **fields,
            "status": status,
            "bytes_in": request.body.bytes_received,
            "bytes_out": bytes_sent,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
