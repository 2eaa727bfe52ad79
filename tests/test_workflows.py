"""This repository's own workflows say the same as its packaging and its noxfile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
NOT_ON_RUNNERS = {"tests", "skipped"}
"""Sessions that are typed by their own jobs, or look at a machine with several Pythons."""


def test_every_supported_python_is_tested() -> None:
    """The classifiers promise them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (\d\.\d+)", "\n".join(project["classifiers"]))

    assert JOBS["tests"]["strategy"]["matrix"]["python"] == promised


def test_every_session_that_nox_runs_by_default_is_run() -> None:
    """And every job stands behind the one that is required."""
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    sessions = re.findall(r"@nox\.session\((.*)\)\ndef (\w+)", noxfile)
    default = {name for options, name in sessions if "default=False" not in options}

    assert {*JOBS["checks"]["strategy"]["matrix"]["session"], "e2e"} == default - NOT_ON_RUNNERS
    assert set(JOBS["required"]["needs"]) == JOBS.keys() - {"required"}
