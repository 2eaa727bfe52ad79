"""The commands that run on this machine alone, as they are typed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from semver import Version

from kaizen_tasks.cli.command import DRY_RUN_END
from kaizen_tasks.cli.handlers.local import cloud as cloud_tasks
from kaizen_tasks.cli.handlers.local.demo import make_empty_folder
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.errors import BuildFailed, Refused
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud.registry import start_registered_cloud
from kaizen_tasks.rehearsal.services import provision, stand_ins
from tests.support.cli_app import ALONE, TEAM, kaizen, make


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


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_shell_that_points_at_a_cloud_stops_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app").mkdir()
    make(tmp_path / "app", ALONE, {"XDG_STATE_HOME": str(tmp_path / "xdg")}, monkeypatch)
    cloud = start_registered_cloud(tmp_path / "1", region="eu-west-1", account="1" * 12, engine="none", port=0)
    clouds.write_env_file(cloud)
    elsewhere = kaizen("local.down", capsys=capsys).out
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)

    shown = kaizen("local.status", capsys=capsys).out
    stopped = kaizen("local.down", capsys=capsys).out.splitlines()
    again = kaizen("local.down", capsys=capsys).out.splitlines()

    assert elsewhere == "already done: no local cloud is running\n"
    assert shown == f"the local cloud is running at {cloud.endpoint_url} (pid {cloud.pid}), state in {cloud.state}\n"
    assert stopped[0] == f"stopped the local cloud at {cloud.endpoint_url}"
    assert stopped[1].startswith("unset AWS_ENDPOINT_URL ")
    assert again == ["already done: no local cloud is running", stopped[1]]
    assert clouds.find_cloud(cloud.state) is None


@pytest.mark.parametrize(
    "words",
    [
        ("local.status", "--state", "x"),
        ("local.status", "--all"),
        ("local.down", "--state", "x"),
        ("local.down", "--all"),
    ],
)
def test_clouds_are_found_and_stopped_outside_of_an_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A demo that was kept says how to stop it, and was typed anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    result = kaizen(*words, capsys=capsys)

    assert (result.code, result.err) == (0, "")
    assert "no local cloud is running" in result.out


@pytest.mark.parametrize(
    ("hint", "can_bundle", "expected"),
    [
        (UNAVAILABLE_HINT, True, f"{UNAVAILABLE_HINT}; or choose INVOKE_BUILD_ENGINE=bundle, which leaves out "),
        (UNAVAILABLE_HINT, False, UNAVAILABLE_HINT),
        ("correct the Dockerfile", True, "correct the Dockerfile"),
    ],
)
def test_a_bundle_is_offered_where_the_base_image_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hint: str, can_bundle: bool, expected: str
) -> None:
    failure = BuildFailed("docker could not build web:v0.0.0", hint=hint)
    monkeypatch.setattr(provision, "provision", Mock(side_effect=failure))
    monkeypatch.setattr(stand_ins, "can_bundle", lambda _tools, _version: can_bundle)
    tools, cloud = Mock(), Mock(state=tmp_path)

    with pytest.raises(BuildFailed) as failed:
        cloud_tasks._provision(tools, Version(0, 0, 0), cloud, insists=True, stream=io.StringIO())
    assert failed.value.hint.startswith(expected)
    assert ("bundle" in failed.value.hint) is ("bundle" in expected)


def test_of_two_runs_one_gets_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has seen the folder empty, too."""
    folder = tmp_path / "kept"
    assert make_empty_folder(folder) == folder
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(()))

    with pytest.raises(Refused, match=f"--keep {folder}: another run has just begun in it"):
        make_empty_folder(folder)


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Refused, match=f"--keep {tmp_path}/file/kept: Not a directory") as refused:
        make_empty_folder(tmp_path / "file" / "kept")
    assert refused.value.hint == "name a folder that you can write to"


def test_a_folder_in_which_a_cloud_runs_is_refused_with_how_to_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "cloud"
    running = Mock(endpoint_url="http://127.0.0.1:5000", state=state)
    monkeypatch.setattr(clouds, "find_cloud", lambda folder: running if folder == state else None)

    with pytest.raises(Refused, match="a local cloud is running in it, at http://127") as refused:
        make_empty_folder(tmp_path)

    assert refused.value.hint == f"name another folder; to stop that cloud: kaizen local.down --state {state}"
