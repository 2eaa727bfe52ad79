"""Runs a command as another machine would, with another host name and boot.

`python -m tests.crash.other_machine release-staging`
"""

from __future__ import annotations

import socket
import sys

from attrs import evolve
from invoke.main import program

from kaizen_tasks.adapters.host import process_identity


def main(words: list[str]) -> None:
    """Run a task."""
    identity = process_identity._identity
    process_identity._identity = lambda pid: evolve(identity(pid), boot_id="that of another machine")
    socket.gethostname = lambda: "another-machine"
    program.run(["inv", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
