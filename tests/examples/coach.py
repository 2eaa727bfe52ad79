"""Runs the example app as a process."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COACH = Path(__file__).parents[2] / "examples" / "coach"


@frozen(kw_only=True)
class Reply:
    """A complete response."""

    status: int
    headers: Mapping[str, str]
    body: str


@frozen(kw_only=True)
class RunningCoach:
    """The running app: its port and process."""

    port: int
    process: subprocess.Popen[str] = field(repr=False)

    def ask(self, path: str, method: str = "GET") -> Reply:
        """Request a path."""
        return ask(self.port, path, method)


def ask(port: int, path: str, method: str = "GET") -> Reply:
    """Request a path from a loopback port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_SECONDS)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Reply(
            status=response.status, headers=dict(response.getheaders()), body=response.read().decode()
        )
    finally:
        connection.close()


def start(cwd: Path = COACH, **variables: str) -> subprocess.Popen[str]:
    """Start the app on a port that the operating system chooses."""
    environ = {"PATH": os.environ["PATH"], "PORT": "0", "BIND": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "coach"],
        cwd=cwd,
        env=environ | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextmanager
def running(cwd: Path = COACH, **variables: str) -> Iterator[RunningCoach]:
    """Run the app for the duration of the block; its first line of output names the port."""
    with start(cwd, **variables) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().rpartition(":")[2]
            assert port, process.communicate()[1]
            yield RunningCoach(port=int(port), process=process)
        finally:
            process.kill()
