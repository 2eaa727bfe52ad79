"""Reads the configurations of the other apps of a repository, whose releases must be told from this app's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from kaizen_tasks.domain.init.detect.previous_releases import DEFAULT_TAG_PATTERN

CONFIG_FILE = "kaizen.toml"


def find_tags(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Return the pattern of the tags of every other app, by the path of its configuration.

    Args:
        texts: texts of files, by path from the app's folder.
    """
    return {path: _read_tag(text) for path, text in texts.items() if path.endswith(f"/{CONFIG_FILE}")}


def _read_tag(text: str) -> str:
    try:
        release = tomllib.loads(text).get("release", {})
    except tomllib.TOMLDecodeError:
        return ""
    return str(release.get("tag", DEFAULT_TAG_PATTERN)) if isinstance(release, dict) else ""
