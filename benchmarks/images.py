"""Loads an image of 120 MB into the Docker engine, and removes it."""

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

LAYER_MEGABYTES = (52, 30, 20, 10, 5, 2, 1)
"""A base, its packages, the app; of random bytes, which cannot be compressed."""


def load(folder: Path, name: str) -> None:
    """Load the image into the engine.

    Args:
        folder: for the archive.
        name: its repository and tag.
    """
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as file:
        for member, content in _members(name):
            _add(file, member, content)
    subprocess.run(["docker", "load", "--quiet", "--input", archive], stdout=subprocess.DEVNULL, check=True)
    archive.unlink()


def remove(*names: str) -> None:
    """Remove tags from the engine, and images without another tag."""
    filters = [f"--filter=reference={name}" for name in names]
    command = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *filters]
    tags = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if tags:
        subprocess.run(["docker", "image", "rm", "--force", *tags], stdout=subprocess.DEVNULL, check=True)


def _members(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the archive that `docker load` reads: https://github.com/moby/docker-image-spec/blob/main/spec.md."""
    diff_ids = []
    for number, megabytes in enumerate(LAYER_MEGABYTES):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as file:
            _add(file, f"file-{number}", os.urandom(megabytes * 1_000_000))
        diff_ids.append(f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}")
        yield f"{number}/layer.tar", layer.getvalue()
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    yield "config.json", json.dumps({**config, "config": {}}).encode()
    layers = [f"{number}/layer.tar" for number in range(len(LAYER_MEGABYTES))]
    yield "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": layers}]).encode()


def _add(file: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    file.addfile(entry, io.BytesIO(content))
