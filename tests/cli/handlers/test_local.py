"""What the commands that run on this machine alone refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli_app import TEAM, kaizen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("task", ["demo", "rehearse"])
def test_unknown_engine_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    (tmp_path / "kaizen.toml").write_text(TEAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    result = kaizen(task, "--engine", "nope", capsys=capsys)

    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[0] == "--engine 'nope' is not an engine"


def test_unknown_engine_of_a_local_cloud_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kaizen.toml").write_text(TEAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    result = kaizen("local.up", "--engine", "bundle", capsys=capsys)

    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines() == [
        "--engine 'bundle' does not run services",
        "choose from auto, docker, process, none",
    ]
