"""`python -m tests.emulator.ministack PROGRAM`: runs the contracts on ministack, a third-party AWS emulator.

It is installed in an environment of its own, because it pins another botocore.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.docker_registry import free_port
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "KAIZEN_TEST_MINISTACK"
"""Its URL, for the tests: `http://127.0.0.1:4566`."""


def main(program: str, *arguments: str) -> int:
    """Run the tests of this folder on it; return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), *arguments]
    with running(program) as url:
        return subprocess.run(command, env={**os.environ, VARIABLE: url}, check=False).returncode


@contextmanager
def running(program: str) -> Iterator[str]:
    """Run ministack on a free loopback port, without an engine; yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": folder,
            "BIND_HOST": "127.0.0.1",
            "DOCKER_HOST": "unix:///nonexistent",
            "GATEWAY_PORT": str(port),
            "SERVICES": "ecr,sts,dynamodb",
        }
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([program], env=environ, cwd=folder, stdout=log, stderr=log)
        try:
            _wait(process, url, Path(folder) / "log")
            yield url
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"{url}/_ministack/health", timeout=HANG_SECONDS):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"ministack does not answer: {log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(HANG_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
