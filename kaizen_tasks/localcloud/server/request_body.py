"""Reading a request's body from the connection."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LINE_BYTES = 1024


class BodyTooLargeError(Exception):
    """The body of a request that is read into memory is larger than allowed."""


class RequestBody(io.RawIOBase):
    """The body of a request as a stream.

    Args:
        stream: the connection, positioned after the headers.
        length: bytes of the body; None for chunked transfer coding (RFC 9112, section 7.1).
        send_continue: called before the first byte is read, for clients that wait for `100 Continue`.
    """

    def __init__(
        self, stream: io.BufferedIOBase, length: int | None, send_continue: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self.bytes_received = 0
        self._stream = stream
        self._chunked = length is None
        self._remaining = length or 0
        self._send_continue = send_continue
        self._finished = length == 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:  # Any: the writable buffer protocol has no name before 3.12
        """Fill the buffer with bytes that have arrived; return their number, or 0 at the end."""
        if self._finished:
            return 0
        self._ensure_continue_sent()
        if self._chunked and not self._remaining:
            self._read_chunk_header()
        return self._read_into(memoryview(buffer)) if self._remaining else 0

    def read_within(self, limit: int) -> bytes:
        """Read the whole body into memory.

        Raises:
            BodyTooLargeError: it has more than `limit` bytes.
        """
        content = bytearray()
        while chunk := self.read(1 << 16):
            content += chunk
            if len(content) > limit:
                raise BodyTooLargeError(f"the body of this request has more than {limit} bytes")
        return bytes(content)

    def drain(self, limit: int) -> bool:
        """Discard unread bytes, at most `limit`; return whether the end was reached."""
        if self._send_continue is not None and not self._finished:
            return False
        while not self._finished and limit > 0:
            limit -= len(self.read(min(limit, 1 << 16)) or b"")
        return self._finished

    def _ensure_continue_sent(self) -> None:
        if self._send_continue is not None:
            self._send_continue()
            self._send_continue = None

    def _read_into(self, view: memoryview) -> int:
        count = self._stream.readinto1(view[: self._remaining])
        if not count:
            raise ConnectionResetError("the client disconnected during its request")
        self._remaining -= count
        self.bytes_received += count
        if not self._remaining:
            self._end_chunk()
        return count

    def _end_chunk(self) -> None:
        if self._chunked:
            self._read_line()
        else:
            self._finished = True

    def _read_chunk_header(self) -> None:
        self._remaining = _chunk_size(self._read_line())
        if not self._remaining:
            while self._read_line():  # trailers
                pass
            self._finished = True

    def _read_line(self) -> bytes:
        line = self._stream.readline(_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the client disconnected during its request")
        return line.rstrip(b"\r\n")


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not size or not all(digit in b"0123456789abcdefABCDEF" for digit in size):
        raise ConnectionResetError("the client sent a chunk without a size")
    return int(size, 16)
