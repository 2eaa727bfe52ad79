"""What was released before: by the tags that there are, and by what the app's package says of itself."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from semver import Version

USUAL_TAG = "v{version}"
BARE_TAG = "{version}"
FIRST = "0.1.0"
NUMBER = re.compile(r"\d+\.\d+\.\d+\S*")


def tag_pattern(tags: Sequence[str]) -> str:
    """Return how releases are tagged here: `v1.2.3`, unless every one of them is a bare `1.2.3`."""
    released = [tag for tag in tags if _parsed(tag)]
    return BARE_TAG if released and not any(tag.startswith("v") for tag in released) else USUAL_TAG


def version(tags: Sequence[str], texts: Mapping[str, str]) -> str:
    """Return the version that an app without VERSION has: the newest tag, what its package says, else the first of all.

    Args:
        tags: every git tag.
        texts: the app's files, by path.
    """
    newest = versions.latest(tuple(found for tag in tags if (found := _parsed(tag))))
    packaged = _parsed(_packaged(texts))
    return str(newest or packaged or FIRST)


def _parsed(text: str) -> Version | None:
    try:
        return versions.parse(text) if NUMBER.fullmatch(text.removeprefix("v")) else None
    except UsageError:
        return None


def _packaged(texts: Mapping[str, str]) -> str:
    for path, load, table in (("pyproject.toml", tomllib.loads, "project"), ("package.json", json.loads, "")):
        try:
            said = load(texts.get(path, ""))
        except ValueError:
            continue
        inner = said.get(table) if table and isinstance(said, dict) else said
        if isinstance(inner, dict) and isinstance(inner.get("version"), str):
            return str(inner["version"])
    return ""
