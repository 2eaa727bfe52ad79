"""Reads objects through one git process, which stays open until the repository is no longer used."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

CAT_FILE = ("cat-file", "--batch-command")
"""The command that is asked."""


class StoredObject(NamedTuple):
    """An object of the repository; `content` is empty where only its name was asked for."""

    name: str
    kind: str
    content: bytes


class ObjectReader:
    """Answers requests for objects, one after the other, also those of several threads.

    Git reads a ref again with each request, and looks again for an object that was not there: what is written later is
    found. A process that has ended, as on Ctrl-C, or that was interrupted in an answer, is replaced by a new one.

    Args:
        start: starts `CAT_FILE`, and returns the process, which is written to and read from.
        run: runs `CAT_FILE` with requests, and returns the answers; raises the error with which it ends.
    """

    def __init__(self, *, start: Callable[[], subprocess.Popen[bytes]], run: Callable[[bytes], bytes]) -> None:
        self._start = start
        self._run = run
        self._lock = threading.Lock()
        self._pipes: tuple[IO[bytes], IO[bytes]] | None = None
        self._owner = 0
        self._end: Callable[[], object] = lambda: None

    @property
    def is_supported(self) -> bool:
        """Whether git has `cat-file --batch-command`, which came with 2.36."""
        with self._lock, suppress(OSError):
            self._exchange(b"info HEAD\n", has_content=False)
            return True
        return False

    def find(self, name: str) -> StoredObject | None:
        """Return the hash and the kind of the object that a name means; None when there is none."""
        return self._ask("info", name)

    def read(self, name: str, kind: str) -> bytes | None:
        """Return the content of an object; None when there is none, or one of another kind."""
        found = self._ask("contents", name)
        return found.content if found and found.kind == kind else None

    def _ask(self, command: str, name: str) -> StoredObject | None:
        if "\n" in name:  # where a request ends
            return None
        request, has_content = os.fsencode(f"{command} {name}\n"), command == "contents"
        with self._lock:
            with suppress(OSError):
                return self._exchange(request, has_content=has_content)
            output = self._run(request)  # which says why git ends
            return _read_answer(BytesIO(output), has_content=has_content)

    def _exchange(self, request: bytes, *, has_content: bool) -> StoredObject | None:
        """Send a request and return the answer; raise OSError if git has ended."""
        try:
            requests, answers = self._running_pipes()
            requests.write(request)
            requests.flush()
            return _read_answer(answers, has_content=has_content)
        except BaseException:  # whose answer would be taken for that of the next request
            self._pipes = None
            self._end()
            raise

    def _running_pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._pipes is None or self._owner != os.getpid():  # a fork leaves git to its parent
            self._owner = os.getpid()
            child = self._start()
            self._pipes = pipes = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
            self._end = weakref.finalize(self, _end_child, child, pipes, self._owner)
        return self._pipes


def _read_answer(stream: IO[bytes], *, has_content: bool) -> StoredObject | None:
    """Read one answer: `<hash> <type> <size>`, and the content; or the name and what is wrong with it."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise BrokenPipeError
    fields = os.fsdecode(line[:-1]).split(" ")
    if not fields[-1].isdecimal():
        return None
    name, kind, size = fields
    content = stream.read(int(size)) if has_content else b""
    if has_content and (len(content) < int(size) or stream.read(1) != b"\n"):
        raise BrokenPipeError
    return StoredObject(name, kind, content)


def _end_child(child: subprocess.Popen[bytes], pipes: tuple[IO[bytes], IO[bytes]], owner: int) -> None:
    if owner != os.getpid():
        return
    for pipe in pipes:
        with suppress(OSError):
            pipe.close()
    child.terminate()
    child.wait()
