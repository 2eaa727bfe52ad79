"""Copies a release into the repositories that a file names, as a rollout does, in a process of its own.

Usage: promoting.py URL USERNAME SOURCE VERSION [LATEST]; the password is in the environment.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.registry import OciRegistry
from kaizen_tasks.ports.types import Login, Secret

PARALLEL = 10  # what `rollout.parallel` is by default
PASSWORD = "BENCHMARK_PASSWORD"


def main(url: str, username: str, source: str, version: str, latest: str = "") -> None:
    """Copy by digest, move the second tag where there is one, and say what it cost."""
    login = Login(url=url, username=username, password=Secret(os.environ[PASSWORD]))
    registry = OciRegistry(login, clock=SystemClock())
    image = registry.find_image(source, version)
    assert image is not None

    def promote(target: str) -> str:
        copied = registry.copy(digest=image.digest, source=source, target=target, tag=version)
        if latest:
            registry.move_tag(repository=target, tag=latest, digest=image.digest)
        return f"{target}: {copied}\n"

    with ThreadPoolExecutor(PARALLEL) as pool:
        sys.stdout.writelines(pool.map(promote, Path("repositories").read_text().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
