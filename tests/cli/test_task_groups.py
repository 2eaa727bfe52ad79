"""The groups of `inv --list`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.namespace import build_namespace
from kaizen_tasks.cli.task_groups import GROUPS, OWN, group_tasks
from kaizen_tasks.config import load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_every_task_of_ours_is_in_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a new task to `cli/task_groups.py`, where people would look for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["inv"])
    (tmp_path / "kaizen.toml").write_text('app = "web"\npipeline = ["staging", "prod"]\n[environments.staging]\n')
    names = build_namespace(load.find_config_file()).task_names

    groups = group_tasks(names)

    assert [*groups] == [*GROUPS]
    assert sorted(name for members in groups.values() for name in members) == sorted(names)


def test_stages_come_first_in_the_order_of_the_pipeline() -> None:
    names = ("bump", "promote", "release-staging", "promote-prod", "promote-beta")

    assert group_tasks(names) == {
        "Release": ("release-staging", "promote-prod", "promote-beta", "promote", "bump"),
    }


def test_tasks_that_an_app_adds_are_a_group_of_their_own() -> None:
    assert group_tasks(("bump", "status", "canary")) == {
        "Release": ("bump",),
        OWN: ("canary",),
        "Operate": ("status",),
    }
