"""Mounts an image into the repositories listed in a file, and nothing else: the floor of a promotion.

Usage: mount_process.py URL USERNAME SOURCE VERSION; the password is in the environment. Minimal code on http.client,
with one persistent connection for each thread: a mount for each blob, then the manifest. Nothing is looked up,
retried or compared; only statuses are checked, since the time of a failure means nothing.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

MAX_WORKERS = 10
"""As many as `promote_process.py` has."""


def main(url: str, username: str, source: str, version: str) -> None:
    """Read the manifest once, then mount and tag the image in every repository."""
    local = threading.local()
    secret = base64.b64encode(f"{username}:{os.environ['BENCHMARK_PASSWORD']}".encode()).decode()
    authorization = {"Authorization": f"Basic {secret}"}

    def send(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, str, bytes]:
        if not hasattr(local, "connection"):
            local.connection = HTTPConnection(url.removeprefix("http://"))
        local.connection.request(method, f"/v2/{path}", body=body, headers={**authorization, **headers})
        response = local.connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()

    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    _, media_type, manifest = send("GET", f"{source}/manifests/{version}", {"Accept": accept})
    document = json.loads(manifest)
    digests = [blob["digest"] for blob in (document["config"], *document["layers"])]

    def promote(target: str) -> None:
        answers = [send("POST", f"{target}/blobs/uploads/?mount={digest}&from={source}", {}) for digest in digests]
        answers.append(send("PUT", f"{target}/manifests/{version}", {"Content-Type": media_type}, manifest))
        if {status for status, *_ in answers} != {201}:
            sys.exit(f"{target}: {answers}")

    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        list(pool.map(promote, Path("repositories").read_text().split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
