"""The example app as a user meets it: a process that answers HTTP."""

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
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: str


@frozen(kw_only=True)
class RunningCoach:
    """Where the app listens, and its process."""

    port: int
    process: subprocess.Popen[str] = field(repr=False)

    def ask(self, path: str, method: str = "GET") -> Reply:
        """Ask for one path."""
        return ask(self.port, path, method)


def ask(port: int, path: str, method: str = "GET") -> Reply:
    """Ask a loopback port for one path."""
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
    """Run the app for as long as the block lasts; its first line says where it listens."""
    with start(cwd, **variables) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().rpartition(":")[2]
            assert port, process.communicate()[1]
            yield RunningCoach(port=int(port), process=process)
        finally:
            process.kill()
