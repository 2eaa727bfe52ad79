"""How a version is written in files of other tools: `1.3.0-rc.1` is `1.3.0rc1` for Python's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

PEP440_FILES = re.compile(r"pyproject\.toml|setup\.(cfg|py)|.*\.pyi?|(pdm|poetry|uv)\.lock")
"""Names of the files of Python projects, whose tools write versions as in PEP 440."""

_PRERELEASE = re.compile(r"(?P<phase>alpha|beta|a|b|c|rc|preview|pre|dev)[.-]?(?P<number>\d+)?")
_PHASES = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "dev": ".dev"}


def spelling_of(path: str) -> str:
    """Return how versions are spelled in a file, by its name."""
    return "pep440" if PEP440_FILES.fullmatch(path.rpartition("/")[2]) else "semver"


def spell(version: Version, spelling: str) -> str:
    """Return a version as text.

    Raises:
        Refused: PEP 440 has no such pre-releases.
    """
    if spelling == "semver" or not version.prerelease:
        return str(version)
    match = _PRERELEASE.fullmatch(version.prerelease)
    if match is None:
        raise Refused(
            f"PEP 440 has no pre-release like {version}",
            hint='take one like 1.3.0-rc.1: --to VERSION, or write spelling = "semver" under [[version_files]]',
        )
    phase = _PHASES.get(match["phase"], match["phase"])
    return f"{version.finalize_version()}{phase}{int(match['number'] or 0)}"
