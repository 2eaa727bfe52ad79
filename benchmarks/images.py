"""An image of some size that a Docker engine can load, and the engine's own record of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYERS = (52, 30, 20, 10, 5, 2, 1)
"""Megabytes: a base, its packages, the app; of random bytes, so that no compression makes them smaller."""


def load(folder: Path, name: str) -> None:
    """Bring an image of 120 MB into the engine.

    Args:
        folder: for the archive.
        name: what the engine is to call it.
    """
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as file:
        for member, content in _members(name):
            _add(file, member, content)
    subprocess.run(["docker", "load", "--quiet", "--input", archive], stdout=subprocess.DEVNULL, check=True)
    archive.unlink()


def forget(*names: str) -> None:
    """Remove names from the engine, and what has no other name."""
    filters = [f"--filter=reference={name}" for name in names]
    command = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *filters]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if listed:
        subprocess.run(["docker", "image", "rm", "--force", *listed], stdout=subprocess.DEVNULL, check=True)


def _members(name: str) -> Iterator[tuple[str, bytes]]:
    """Write what `docker load` reads: https://github.com/moby/docker-image-spec/blob/main/spec.md."""
    identities = []
    for number, megabytes in enumerate(LAYERS):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as file:
            _add(file, f"file-{number}", os.urandom(megabytes * 1_000_000))
        identities.append(f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}")
        yield f"{number}/layer.tar", layer.getvalue()
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": identities}}
    yield "config.json", json.dumps({**config, "config": {}}).encode()
    layers = [f"{number}/layer.tar" for number in range(len(LAYERS))]
    yield "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": layers}]).encode()


def _add(file: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    file.addfile(entry, io.BytesIO(content))
