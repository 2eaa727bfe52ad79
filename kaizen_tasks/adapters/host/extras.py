"""The optional dependencies of these tasks."""

from __future__ import annotations

import shlex
from importlib import metadata


def install_command(extra: str) -> str:
    """Return the command that installs what an extra needs, wherever these tasks were installed from."""
    requirements = (line.partition(";") for line in metadata.requires("kaizen-tasks") or ())
    names = [requirement.strip() for requirement, _, marker in requirements if extra in marker.split("extra")[-1]]
    return f"pip install {shlex.join(names)}"
