"""Runs a command as another machine would: another host name and boot, and a clock that is wrong by some minutes.

`python -m tests.crash.other_machine --skew 300 release-staging`
"""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime, timedelta

from attrs import evolve
from invoke.main import program

from kaizen_tasks.adapters.host import process_identity
from kaizen_tasks.adapters.host.clock import SystemClock


def main(arguments: list[str]) -> None:
    """Run a task with the clock moved by `--skew` seconds."""
    option, seconds, *words = arguments
    assert option == "--skew"
    skew, identity = timedelta(seconds=float(seconds)), process_identity._identity
    SystemClock.now = lambda _clock: datetime.now(UTC) + skew  # type: ignore[method-assign,assignment]
    process_identity._identity = lambda pid: evolve(identity(pid), boot_id="that of another machine")
    socket.gethostname = lambda: "another-machine"
    program.run(["inv", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
