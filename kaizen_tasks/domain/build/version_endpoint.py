"""Guesses from an app's files whether it answers with its version."""

from __future__ import annotations

import re
from collections.abc import Iterable

NO_SOURCES = (
    *(
        ".cfg",
        ".css",
        ".html",
        ".ini",
        ".json",
        ".lock",
        ".map",
        ".md",
        ".min.js",
        ".rst",
        ".sh",
        ".svg",
        ".tf",
        ".toml",
        ".txt",
        ".xml",
    ),
    *(".yaml", ".yml", "/Dockerfile", "/Makefile", "/VERSION", "/tasks.py", "/noxfile.py", "/setup.py"),
)
"""Ends of paths of files that may name the path of an endpoint, and do not answer it."""

OTHER_FOLDERS = frozenset({"__tests__", "dist", "docs", "e2e", "node_modules", "spec", "test", "tests", "vendor"})
"""Folders of files that are not the app's own sources."""


def endpoint_pattern(path: str) -> str:
    """Return a POSIX extended regular expression for source lines that may define an endpoint: its path, or its end.

    The end alone must not be a key, as in `"version": "1.2.3"`.

    Args:
        path: the endpoint's path: `/api/version`.
    """
    segment = f"{re.escape(_last_segment(path))}/?"
    return f"/{segment}([^A-Za-z0-9_.-]|$)|[:\"'`]{segment}([\"'`]([^:]|$)|[^A-Za-z0-9_.\"'`-]|$)"


def is_mentioned(files: Iterable[str]) -> bool:
    """Return whether a source file is among those with a line that matches `endpoint_pattern`."""
    return any(map(_is_source, files))


def is_file(path: str, files: Iterable[str]) -> bool:
    """Return whether a file or a folder has the name of an endpoint, as those of some frameworks have."""
    segment = _last_segment(path)
    names = {segment, *(f"{segment}.{extension}" for extension in ("js", "jsx", "php", "py", "ts", "tsx"))}
    return any(names & {*file.split("/")} for file in files)


def _last_segment(path: str) -> str:
    return path.partition("?")[0].rstrip("/").rpartition("/")[2]


def _is_source(path: str) -> bool:
    return not f"/{path}".endswith(NO_SOURCES) and not OTHER_FOLDERS & {*path.split("/")[:-1]}
