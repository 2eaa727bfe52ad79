"""Commands that can be typed where the program is not on `PATH`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host.program_path import typeable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Call the program by its path in a virtual environment that is not active; return that path without its name."""
    scripts = tmp_path / "env dir" / "bin"
    scripts.mkdir(parents=True)
    for name in ("inv", "kaizen"):
        (scripts / name).touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", ["env dir/bin/inv", "demo"])
    return "env dir/bin"


@pytest.mark.usefixtures("call")
def test_commands_get_the_path_by_which_the_program_was_called() -> None:
    assert typeable("next: inv status && kaizen init; see ./inv x and kaizen.toml") == (
        "next: 'env dir/bin/inv' status && 'env dir/bin/kaizen' init; see ./inv x and kaizen.toml"
    )


@pytest.mark.usefixtures("call")
def test_path_is_absolute_for_commands_in_another_folder(tmp_path: Path) -> None:
    assert typeable("inv status", anywhere=True) == f"'{tmp_path}/env dir/bin/inv' status"


def test_program_on_the_path_is_named(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / call))

    assert typeable("inv status") == "inv status"


@pytest.mark.usefixtures("call")
def test_another_program_of_that_name_on_the_path_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `inv` of another virtual environment, which has none of these tasks."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/inv").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "other"))

    assert typeable("inv status, kaizen init") == "'env dir/bin/inv' status, 'env dir/bin/kaizen' init"


@pytest.mark.parametrize("word", ["inv", "/usr/bin/pytest", "/venv/invoke/__main__.py"])
def test_program_that_was_called_in_another_way_is_named(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(sys, "argv", [word])
    monkeypatch.setenv("PATH", "/nowhere")

    assert typeable("inv status") == "inv status"
