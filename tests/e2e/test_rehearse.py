"""`inv rehearse`: this very app on a local cloud, and nothing else changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support import workspace
from tests.support.workspace import EXAMPLE_APP, Workspace, assert_refused

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e]

TRAIN = ["release-staging --yes", "promote-prod --yes", "promote-beta --yes"]


@pytest.fixture
def app(tmp_path: Path) -> Workspace:
    """An app as its team has it: no tags, VERSION bumped and changelog cut on a branch, something not committed."""
    environ = {**workspace.clean_environ(tmp_path), "INVOKE_BUILD_ENGINE": "bundle", "AWS_PROFILE": "real-account"}
    clone, remote = tmp_path / "coach", tmp_path / "real.git"
    shutil.copytree(EXAMPLE_APP, clone, ignore=shutil.ignore_patterns("__pycache__"))
    world = Workspace(clone=clone, remote=remote, state=tmp_path / "nowhere", environ=environ)
    world.git("init", "--quiet", "--bare", str(remote))
    world.git("init", "--quiet", "--initial-branch=main")
    world.git("config", "user.name", "Sam")
    world.git("config", "user.email", "sam@coach.example")
    world.git("remote", "add", "origin", str(remote))
    world.commit("notes", "x\n")
    world.git("push", "--quiet", "origin", "main")
    world.git("switch", "--quiet", "--create", "feature/effort")
    (clone / "VERSION").write_text("0.1.8\n")
    cut = (clone / "CHANGELOG.md").read_text().replace("[Unreleased]", "[Unreleased]\n\n## [0.1.8] - 2026-11-20", 1)
    world.commit("CHANGELOG.md", cut)
    return world


def test_the_whole_train_succeeds_and_leaves_everything_as_it_was(app: Workspace, tmp_path: Path) -> None:
    (app.clone / "notes").write_text("edited\n")
    app.inv("--list").expect_success()  # Python keeps the byte code of tasks.py
    before = app.files

    said = app.inv("rehearse", "--json").expect_success()

    assert app.files == before
    document = said.document
    assert [each["command"] for each in document["commands"]] == TRAIN
    assert document["refusals"] == [
        "releases are not allowed from branch feature/effort (allowed: main)",
        "uncommitted changes would not be in the release: notes",
    ]
    release, promotion, _ = document["commands"]
    changes = [each["what"] for each in release["changes"]]
    assert changes.index("put staging-coach-app:v0.1.8") < changes.index("ecr:PutImage")
    assert "mount a layer into my-personal-coach-app" in [each["what"] for each in promotion["changes"]]
    deployed = {step["step"]: step for step in release["steps"]}["deploy staging"]
    assert (deployed["verdict"], deployed["seconds"] > 0) == ("done", True)
    assert any(ref.startswith("v0.1.8 is new") for ref in document["refs"])
    assert document["unchanged"] > len(before) / 2
    assert "It would succeed, once that is settled." in said.err
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "home" / "cache").iterdir()) == []


def test_a_flow_that_fails_ends_as_it_would(app: Workspace, tmp_path: Path) -> None:
    """With its own error and exit code; here the app has no /version, and its team has kept the world to look at it."""
    site = app.clone / "coach" / "site.py"
    app.commit("coach/site.py", site.read_text().replace('case "/version"', 'case "/versjon"'))
    app.commit("kaizen.toml", (app.clone / "kaizen.toml").read_text().replace('timeout = "5m"', 'timeout = "10s"'))
    kept = tmp_path / "kept"

    said = app.inv("rehearse", "--flow", "release-staging", "--keep", str(kept))

    try:
        assert_refused(said, 8)
        assert "/version answers HTTP 404" in said.err
        assert "It would fail." in said.out
        assert f"inv local.down --state {kept}/cloud" in said.out
        script = f". {kept}/cloud/environ && {workspace.program('inv')} history --env staging"
        history = workspace.run(("sh", "-c", script), cwd=kept / "coach", environ=app.environ)
        assert "started" in history.expect_success().out
    finally:
        app.inv("local.down", "--state", str(kept / "cloud")).expect_success()


def test_starts_nothing_for_a_flow_that_there_is_not(app: Workspace) -> None:
    assert_refused(app.inv("rehearse", "--flow", "relase-staging"), 2)
    assert_refused(app.inv("rehearse", "--keep", "here"), 2)
