"""Guesses from an app's files whether it answers with its version."""

from __future__ import annotations

import re
from collections.abc import Iterable

NO_SOURCES = (
    *(".cfg", ".css", ".html", ".ini", ".json", ".lock", ".md", ".rst", ".sh", ".svg", ".tf", ".toml", ".txt", ".xml"),
    *(".yaml", ".yml", "/Dockerfile", "/Makefile", "/VERSION", "/tasks.py", "/noxfile.py", "/setup.py"),
)
"""Ends of paths of files that may name the path of an endpoint, and do not answer it."""

TEST_FOLDERS = frozenset({"test", "tests", "spec", "__tests__", "e2e", "docs"})


def endpoint_pattern(path: str) -> str:
    """Return a POSIX extended regular expression for source lines that may define an endpoint: its path, or its end.

    Args:
        path: the endpoint's path: `/api/version`.
    """
    return f"[/:\"'`]{re.escape(_last_segment(path))}/?([^A-Za-z0-9_.-]|$)"


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
    return not f"/{path}".endswith(NO_SOURCES) and not TEST_FOLDERS & {*path.split("/")[:-1]}
