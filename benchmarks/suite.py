"""Runs benchmarks one after the other, each in a process of its own, and passes on what they yield."""

from __future__ import annotations

import importlib
import multiprocessing
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.results import NotMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from benchmarks.results import Row


def measured_rows(module: str) -> Iterator[Row]:
    """Run a benchmark in a process of its own, since the peak memory of one would be that of all after it."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_rows, args=(module, sender))
    process.start()
    sender.close()
    while (row := _receive(receiver)) is not None:
        print(row, file=sys.stderr, flush=True)
        yield row
    process.join()
    if process.exitcode:
        yield NotMeasured(module, f"exited with {process.exitcode}; its error is above", failed=True)


def _send_rows(module: str, sender: Connection) -> None:
    for row in importlib.import_module(module).results():
        sender.send(row)


def _receive(receiver: Connection) -> Row | None:
    try:
        row: Row = receiver.recv()
    except EOFError:
        return None
    return row


@contextmanager
def busy_loop() -> Iterator[None]:
    """Keep one processor busy meanwhile."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as loop:
        try:
            yield
        finally:
            loop.kill()
