"""What a rehearsal has changed in the local cloud, from the cloud's log of its requests."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

READ_ONLY_PREFIXES = ("Get", "Describe", "List", "Batch", "Query", "Scan", "Assume", "GET", "HEAD")
"""Prefixes of the requests that change nothing."""

UPLOAD_PATH = re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/")
MANIFEST_PATH = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)")
BLOB_MOUNTED_STATUS = 201
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository"""


class FileTail:
    """Reads what is appended to a text file.

    Args:
        path: the file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read_new_lines(self) -> list[str]:
        """Return the lines appended since the last call."""
        if not self._path.exists():
            return []
        with self._path.open(encoding="utf-8") as file:
            file.seek(self._offset)
            lines = file.readlines()
            self._offset = file.tell()
        return lines


def count_changes(lines: Iterable[str]) -> Mapping[str, int]:
    """Return what the logged requests changed and how often, in order of first occurrence."""
    requests = (json.loads(line) for line in lines)
    names = (_describe_change(request) for request in requests if request["status"] < 400)
    return Counter(name for name in names if name)


def _describe_change(request: Mapping[str, Any]) -> str:
    """Return what a request changed, or an empty text for one that only reads."""
    operation = str(request.get("operation") or request["method"])
    if operation.startswith(READ_ONLY_PREFIXES):
        return ""
    if request["service"] != "registry":
        return f"{request['service']}:{operation}"
    if manifest := MANIFEST_PATH.fullmatch(request["path"]):
        return f"put {manifest['repository']}:{manifest['reference']}"
    if operation == "POST" and (upload := UPLOAD_PATH.match(request["path"])):
        verb = "mount a layer into" if request["status"] == BLOB_MOUNTED_STATUS else "upload a layer to"
        return f"{verb} {upload['repository']}"
    return ""
