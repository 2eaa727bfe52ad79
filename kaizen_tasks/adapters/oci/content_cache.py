"""Small content of registries on this machine: what has the same digest is the same in every registry."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from kaizen_tasks.adapters.oci.manifest import sha256_digest

SHA256_DIGEST = re.compile("sha256:[0-9a-f]{64}")
MAX_FILES = 500
"""Configurations have some kilobytes each; what was written first goes first."""


@frozen
class ContentCache:
    """Content by its digest, which is verified whenever it is read; it may be deleted at any time.

    Args:
        folder: where the files are; it may not exist yet.
    """

    _folder: Path

    def read(self, digest: str) -> bytes | None:
        """Return the content of a digest; None if it is not here, or if it was damaged."""
        if not SHA256_DIGEST.fullmatch(digest):
            return None
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        return content if sha256_digest(content) == digest else None

    def write(self, content: bytes) -> None:
        """Keep content, if there is room; a reader sees all of it or nothing."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder)
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123 - it is open already
                    file.write(content)
                os.replace(name, self._path(sha256_digest(content)))  # noqa: PTH105
            except OSError:
                os.unlink(name)  # noqa: PTH108
            self._prune()

    def _prune(self) -> None:
        """Delete the oldest files beyond `MAX_FILES`, also those that a killed process has left half written."""
        by_age = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in by_age[MAX_FILES:]:
            path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / digest.replace(":", "-")
