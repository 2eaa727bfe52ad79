"""Copies an image from one registry to another in a process of its own, and notes the memory that it took.

Usage: cross_copy_process.py ORIGIN_URL URL USERNAME; the password is in the environment, and what is copied in the
files `version` and `repository`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from benchmarks.promote_process import PASSWORD_VARIABLE
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.support.plain_registry import PlainRegistry

SOURCE = "staging"


def main(origin_url: str, url: str, username: str) -> None:
    """Copy by digest, and write the process's peak memory in kilobytes."""
    password = Secret(os.environ[PASSWORD_VARIABLE])
    origin, registry = (
        PlainRegistry(Login(url=each, username=username, password=password), clock=SystemClock())
        for each in (origin_url, url)
    )
    version, target = (Path(name).read_text() for name in ("version", "repository"))
    image = origin.find_image(SOURCE, version)
    assert image is not None
    print(registry.copy(digest=image.digest, source=SOURCE, target=target, tag=version, origin=origin))
    Path("peak").write_text(str(peak_kilobytes()))


def peak_kilobytes() -> int:
    """Return the highest memory of this process so far. `getrusage` would count what its parent had at the fork.

    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    match = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
