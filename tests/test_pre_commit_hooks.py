"""The hooks that `pre-commit` finds in this repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kaizen_tasks.program import namespace

ROOT = Path(__file__).parents[1]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_runs_a_task(hook: dict[str, Any]) -> None:
    program, task = hook["entry"].split()

    assert program == "kaizen"
    assert task in namespace().task_names
    assert hook["language"] == "python"


@pytest.mark.parametrize(
    ("path", "is_checked"),
    [
        ("CHANGELOG.md", True),
        ("docs/Changes.md", True),
        ("VERSION", True),
        ("changelog.d/123.fixed.md", True),
        ("services/coach/CHANGELOG.md", True),
        ("README.md", False),
        ("src/changelog.py", False),
        ("docs/versioning.md", False),
    ],
)
def test_the_changelog_is_checked_when_it_changes(path: str, *, is_checked: bool) -> None:
    (hook,) = HOOKS

    assert bool(re.search(hook["files"], path)) == is_checked
