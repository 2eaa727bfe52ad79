"""Serialises the tests that build with Docker, and removes their images."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "kaizen.crash"
"""Label of the images that these tests build."""

LOCK_FILE = Path(tempfile.gettempdir()) / "kaizen-crash-engine"


@contextmanager
def exclusive_engine() -> Iterator[None]:
    """Hold a machine-wide lock on the engine, with the labelled images removed before and after."""
    with LOCK_FILE.open("a") as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)
        _remove_images()
        try:
            yield
        finally:
            _remove_images()


def _remove_images() -> None:
    image_ids = _docker("image", "ls", "--quiet", "--filter", f"label={LABEL}").split()
    if image_ids:
        _docker("image", "rm", "--force", *set(image_ids))


def _docker(*words: str) -> str:
    return subprocess.run(("docker", *words), capture_output=True, text=True, timeout=HANG_SECONDS, check=True).stdout
