"""Copies a release into the repositories listed in a file, as a rollout does, in a process of its own.

Usage: promote_process.py URL USERNAME SOURCE VERSION [LATEST]; the password is in the environment.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kaizen_tasks.cli import reduce_garbage_collection

MAX_WORKERS = 10
"""The default of `rollout.parallel`."""
PASSWORD_VARIABLE = "BENCHMARK_PASSWORD"


def main(url: str, username: str, source: str, version: str, latest: str = "") -> None:
    """Copy by digest, move the second tag if there is one, and print what each copy transferred."""
    reduce_garbage_collection()  # as `inv` does before it imports the rest
    from kaizen_tasks.adapters.host.clock import SystemClock
    from kaizen_tasks.adapters.oci.client import OciClient
    from kaizen_tasks.adapters.oci.pusher import ImagePusher
    from kaizen_tasks.adapters.oci.transport import StaticCredentials
    from kaizen_tasks.ports.images import Login
    from kaizen_tasks.ports.secrets import Secret

    login = Login(url=url, username=username, password=Secret(os.environ[PASSWORD_VARIABLE]))
    client = OciClient(StaticCredentials(login), clock=SystemClock())
    pusher = ImagePusher(client)
    image = client.manifest(source, version)
    assert image is not None

    def promote(target: str) -> str:
        stats = pusher.copy(digest=image.digest, source=source, target=target, tag=version)
        if latest:
            client.put_manifest(target, latest, image)  # one request, as `Registry.move_tag` sends to ECR
        return f"{target}: {stats}\n"

    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        sys.stdout.writelines(pool.map(promote, Path("repositories").read_text().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
