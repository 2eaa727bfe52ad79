"""The log of requests: one line of JSON each, for tests and measurements."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.server.refusals import ERROR_HEADER
from kaizen_tasks.localcloud.state.line_files import append_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.server.http_message import HttpRequest, HttpResponse


class AccessLog:
    """Appends requests to a file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, request: HttpRequest, response: HttpResponse, fields: Mapping[str, str]) -> HttpResponse:
        """Return the response; the request is logged when the last byte of it has been sent.

        Args:
            request: the request.
            response: its response.
            fields: members of the line that name the request: its service and operation, or method and path.
        """
        line = {"at": round(time.time(), 4), **fields, "status": response.status}
        if code := response.headers.get(ERROR_HEADER):
            line["error"] = code
        if isinstance(response.body, bytes):
            self._write(line, request, len(response.body))
            return response
        return attrs.evolve(response, body=self._stream(line, request, response.body))

    def _stream(self, line: Mapping[str, object], request: HttpRequest, chunks: Iterable[bytes]) -> Iterator[bytes]:
        bytes_sent = 0
        try:
            for chunk in chunks:
                bytes_sent += len(chunk)
                yield chunk
        finally:
            self._write(line, request, bytes_sent)

    def _write(self, line: Mapping[str, object], request: HttpRequest, bytes_sent: int) -> None:
        sizes = {"bytes_in": request.body.bytes_received, "bytes_out": bytes_sent}
        with self._lock, suppress(OSError):  # the request has been answered, and its log is the least of a full disk
            append_line(self._path, json.dumps({**line, **sizes}))
