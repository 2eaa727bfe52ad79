"""The requirements that CI pipelines of apps install from, compared with those of the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = re.findall(
    r"^([\w.-]+)==(\S+)((?: ;[^\\\n]*)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    (ROOT / "kaizen_tasks/requirements.lock").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_every_requirement_is_pinned_to_a_version_that_it_accepts() -> None:
    """`nox -s lock` renews the pins."""
    versions = {canonicalize_name(name): version for name, version, _ in PINS}
    project = PROJECT["project"]
    needed = map(
        Requirement,
        [
            *project["dependencies"],
            *project["optional-dependencies"]["dashboard"],  # pipelines publish it
            *PROJECT["build-system"]["requires"],
        ],
    )

    unmet = [
        str(each) for each in needed if not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"))
    ]
    assert unmet == []


def test_every_pin_has_hashes() -> None:
    lines = (ROOT / "kaizen_tasks/requirements.lock").read_text(encoding="utf-8").splitlines()

    assert len(PINS) == sum("==" in line for line in lines) > 20
