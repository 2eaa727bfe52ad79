"""The CI workflow, compared with the packaging and the noxfile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
SEVERAL_PYTHONS = {"compatibility", "pythons"}
"""Sessions for a machine that has several Pythons; the workflow has the job `unit` instead."""


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (\d\.\d+)", "\n".join(project["classifiers"]))

    assert JOBS["unit"]["strategy"]["matrix"]["python"] == promised


def test_every_checking_session_has_a_job() -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    sessions = re.findall(r"@nox\.session(?:\((.*)\))?\ndef (\w+)", noxfile)
    checks = {name for options, name in sessions if "default=False" not in options or '"ci"' in options}

    assert {*JOBS["checks"]["strategy"]["matrix"]["session"], "e2e"} == checks - SEVERAL_PYTHONS


def test_the_required_job_needs_every_other_job() -> None:
    assert set(JOBS["required"]["needs"]) == JOBS.keys() - {"required"}
