"""The commands that run on this machine alone, as they are typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli.command import DRY_RUN_END
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal.cloud_registry import start_registered_cloud
from tests.support.cli_app import ALONE, TEAM, kaizen, make

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
    assert result.err.splitlines()[0] == "error: --engine 'nope' is not an engine"


def test_unknown_engine_of_a_local_cloud_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kaizen.toml").write_text(TEAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    result = kaizen("local.up", "--engine", "bundle", capsys=capsys)

    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines() == [
        "error: --engine 'bundle' does not run services (bundle builds images, as build.engine)",
        "choose one of auto, docker, process, none",
    ]


@pytest.mark.parametrize("task", ["local.status", "local.down"])
def test_all_and_state_exclude_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    (tmp_path / "kaizen.toml").write_text(ALONE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = kaizen(task, "--all", "--state", "x", capsys=capsys)
    assert (result.code, result.err.splitlines()[0]) == (2, "error: --all and --state exclude each other")


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_all_clouds_are_shown_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app").mkdir()
    make(tmp_path / "app", ALONE, {"XDG_STATE_HOME": str(tmp_path / "xdg")}, monkeypatch)
    one, two = (
        start_registered_cloud(tmp_path / name, region="eu-west-1", account="1" * 12, engine="process", port=0)
        for name in "12"
    )
    shown = kaizen("local.status", "--all", capsys=capsys).out
    documents = json.loads(kaizen("local.status", "--all", "--json", capsys=capsys).out)["clouds"]
    planned = kaizen("--dry", "local.down", "--all", capsys=capsys).out
    assert clouds.find_cloud(one.state) == one
    stopped = kaizen("local.down", "--all", capsys=capsys)
    again = kaizen("local.down", "--all", capsys=capsys).out
    expected = [f"the local cloud is running at {c.endpoint_url} (pid {c.pid}), state in {c.state}" for c in (one, two)]
    assert shown.splitlines() == expected
    assert [document["pid"] for document in documents] == [one.pid, two.pid]
    places = [f"the local cloud at {cloud.endpoint_url}, state in {cloud.state}" for cloud in (one, two)]
    assert planned.splitlines() == [*(f"would stop {place}" for place in places), DRY_RUN_END]
    assert (stopped.code, stopped.out.splitlines()) == (0, [f"stopped {place}" for place in places])
    assert again == "already done: no local cloud is running\n"
    assert clouds.find_cloud(two.state) is None
