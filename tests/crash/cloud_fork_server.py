"""Starts local clouds in milliseconds, as forks of a process that has loaded moto."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from types import TracebackType

    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud


class CloudForkServer:
    """A process that forks local clouds; a context manager, safe to use from several threads."""

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(self, state: Path, *options: str) -> Cloud:
        """Start a cloud on a state folder, and return it once it answers."""
        pid = self._fork("\t".join((str(state), *options)))
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            running_cloud = clouds.find_cloud(state)
            if running_cloud is not None and running_cloud.pid == pid:
                return running_cloud
            time.sleep(0.005)
        raise RuntimeError(f"no local cloud came up on {state}")

    def _fork(self, line: str) -> int:
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


def kill_cloud(cloud: Cloud) -> None:
    """Kill a cloud and the apps that it runs, without saving its state."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(cloud.pid, signal.SIGKILL)


def main() -> None:
    """Fork a cloud for every line: a state folder, and options of the cloud's command line, between tabs."""
    import moto.dynamodb.responses  # noqa: F401 - loaded once, for all of them

    from kaizen_tasks.localcloud import __main__ as cloud

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    for line in sys.stdin:
        state, *options = line.removesuffix("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            _run_in_child(cloud.main, ["--state", state, "--engine", "process", "--deploy-seconds", "0", *options])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)  # stop all clouds


def _run_in_child(run: object, arguments: list[str]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys.stdin.close()
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)  # a cloud must not keep our stderr open
        assert callable(run)
        code = run(arguments)
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
