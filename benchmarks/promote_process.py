"""Copies a release into the repositories listed in a file, as a rollout does, in a process of its own.

Usage: promote_process.py URL USERNAME SOURCE VERSION [LATEST]; the password is in the environment.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.registry import OciRegistry
from kaizen_tasks.ports.types import Login, Secret

MAX_WORKERS = 10
"""The default of `rollout.parallel`."""
PASSWORD_VARIABLE = "BENCHMARK_PASSWORD"


def main(url: str, username: str, source: str, version: str, latest: str = "") -> None:
    """Copy by digest, move the second tag if there is one, and print what each copy transferred."""
    login = Login(url=url, username=username, password=Secret(os.environ[PASSWORD_VARIABLE]))
    registry = OciRegistry(login, clock=SystemClock())
    image = registry.find_image(source, version)
    assert image is not None

    def promote(target: str) -> str:
        stats = registry.copy(digest=image.digest, source=source, target=target, tag=version)
        if latest:
            registry.move_tag(repository=target, tag=latest, digest=image.digest)
        return f"{target}: {stats}\n"

    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        sys.stdout.writelines(pool.map(promote, Path("repositories").read_text().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
