"""The requirements that CI pipelines of apps install from, compared with those of the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = [("requirements.lock", ["dashboard"]), ("requirements-notify.lock", ["dashboard", "notify"])]
"""The extras whose requirements each file has: pipelines publish the dashboard, and some send messages by Apprise."""

PIN = re.compile(r"^([\w.-]+)==(\S+)((?: ;[^\\\n]*)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def read_lock(name: str) -> str:
    """Return the text of a file of pins."""
    return (ROOT / "kaizen_tasks" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "extras"), LOCKS)
def test_every_requirement_is_pinned_to_a_version_that_it_accepts(name: str, extras: list[str]) -> None:
    """`nox -s lock` renews the pins."""
    versions = {canonicalize_name(package): version for package, version, _ in PIN.findall(read_lock(name))}
    project = PROJECT["project"]
    needed = map(
        Requirement,
        [
            *project["dependencies"],
            *(each for extra in extras for each in project["optional-dependencies"][extra]),
            *PROJECT["build-system"]["requires"],
        ],
    )

    unmet = [
        str(each) for each in needed if not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"))
    ]
    assert unmet == []


@pytest.mark.parametrize(("name", "extras"), LOCKS)
def test_every_pin_has_hashes(name: str, extras: list[str]) -> None:
    text = read_lock(name)

    assert len(PIN.findall(text)) == sum("==" in line for line in text.splitlines()) > 20 + 5 * len(extras[1:])
