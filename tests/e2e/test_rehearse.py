"""`inv rehearse`: this very app on a local cloud, and nothing else changed."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.support import workspaces
from tests.support.workspaces import EXAMPLE_APP, Workspace, assert_refused

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e]

TRAIN = ["release-staging --yes", "promote-prod --yes", "promote-beta --yes"]


@pytest.fixture
def app(tmp_path: Path) -> Workspace:
    """An app as its team has it: no tags, VERSION bumped and changelog cut on a branch, something not committed."""
    environ = {**workspaces.clean_environ(tmp_path), "INVOKE_BUILD_ENGINE": "bundle", "AWS_PROFILE": "real-account"}
    clone, remote = tmp_path / "coach", tmp_path / "real.git"
    shutil.copytree(EXAMPLE_APP, clone, ignore=shutil.ignore_patterns("__pycache__"))
    workspace = Workspace(clone=clone, remote=remote, state=tmp_path / "nowhere", environ=environ)
    workspace.git("init", "--quiet", "--bare", str(remote))
    workspace.git("init", "--quiet", "--initial-branch=main")
    workspace.git("config", "user.name", "Sam")
    workspace.git("config", "user.email", "sam@coach.example")
    workspace.git("remote", "add", "origin", str(remote))
    workspace.commit("notes", "x\n")
    workspace.git("push", "--quiet", "origin", "main")
    workspace.git("switch", "--quiet", "--create", "feature/effort")
    (clone / "VERSION").write_text("0.1.8\n")
    cut = (clone / "CHANGELOG.md").read_text().replace("[Unreleased]", "[Unreleased]\n\n## [0.1.8] - 2026-11-20", 1)
    workspace.commit("CHANGELOG.md", cut)
    return workspace


def test_rehearsal_of_all_flows_succeeds_and_changes_no_file(app: Workspace, tmp_path: Path) -> None:
    (app.clone / "notes").write_text("edited\n")
    app.inv("--list").expect_success()  # Python keeps the byte code of tasks.py
    before = app.files

    result = app.inv("rehearse", "--json").expect_success()

    assert app.files == before
    document = result.document
    assert [each["command"] for each in document["commands"]] == TRAIN
    assert document["refusals"] == [
        "releases are not allowed from branch feature/effort (allowed: main): git switch main",
        "uncommitted changes would not be in the release: notes (commit them, or set them aside: git stash)",
    ]
    release, promotion, _ = document["commands"]
    changes = [each["what"] for each in release["changes"]]
    assert changes.index("put staging-coach-app:v0.1.8") < changes.index("ecr:PutImage")
    assert "mount a layer into my-personal-coach-app" in [each["what"] for each in promotion["changes"]]
    deployed = {step["step"]: step for step in release["steps"]}["deploy staging"]
    assert (deployed["verdict"], deployed["seconds"] > 0) == ("done", True)
    assert any(ref.startswith("v0.1.8 is new") for ref in document["refs"])
    assert document["unchanged"] > 40
    assert document["changed"] == []
    assert document["not_proven"] == []
    assert "Once that is settled, it would succeed." in result.err
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "home" / "cache").iterdir()) == []


def test_failed_flow_exits_with_its_own_code(app: Workspace, tmp_path: Path) -> None:
    """The app has no /version, and `--keep` leaves the rehearsal's files for inspection."""
    site = app.clone / "coach" / "site.py"
    app.commit("coach/site.py", site.read_text().replace('case "/version"', 'case "/versjon"'))
    app.commit("kaizen.toml", (app.clone / "kaizen.toml").read_text().replace('timeout = "5m"', 'timeout = "10s"'))
    kept = tmp_path / "kept"

    result = app.inv("rehearse", "--flow", "release-staging", "--keep", str(kept))

    try:
        assert_refused(result, 8)
        assert "/version answers HTTP 404" in result.err
        assert "It would fail." in result.out
        assert f"kaizen local.down --state {kept}/cloud" in result.out
        script = f". {kept}/cloud/environ && {workspaces.program('inv')} history --env staging"
        history = workspaces.run(("sh", "-c", script), cwd=kept / "coach", environ=app.environ)
        assert "v0.1.8" in history.expect_success().out
    finally:
        app.inv("local.down", "--state", str(kept / "cloud")).expect_success()


def without_engine(app: Workspace, folder: Path) -> Workspace:
    """Return the app on a machine that has git and nothing else, with an engine in its configuration."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git") or "")
    environ = {name: value for name, value in app.environ.items() if name != "INVOKE_BUILD_ENGINE"}
    return evolve(app, environ={**environ, "PATH": str(programs)})


def test_without_an_engine_a_stand_in_takes_the_place_of_the_image(app: Workspace, tmp_path: Path) -> None:
    app.git("switch", "--quiet", "main")
    app.commit("notes", "more\n")
    os.utime(app.clone / "notes", (1, 1))

    result = without_engine(app, tmp_path).inv("rehearse", "--json").expect_success()

    assert result.document["stand_in"].startswith("no container engine works here")
    assert result.document["not_proven"][1] == "its 2 smoke checks"
    assert [each["command"] for each in result.document["commands"]] == TRAIN
    assert "It would succeed, as far as stand-ins show." in result.err
    assert_refused(without_engine(app, tmp_path / "tmp").inv("rehearse", "--engine", "docker"), 3)


def test_a_local_cloud_without_an_engine_is_released_to_with_stand_ins(app: Workspace, tmp_path: Path) -> None:
    app.git("switch", "--quiet", "main")
    machine, state = without_engine(app, tmp_path), tmp_path / "state"
    assert_refused(machine.inv("local.up", "--engine", "docker", "--state", str(state)), 3)

    environ = machine.inv("local.up", "--json", "--state", str(state)).expect_success().document["environ"]
    variables = {name: value for name, value in machine.environ.items() if name != "AWS_PROFILE"}
    shell = evolve(machine, environ={**variables, **environ})
    try:
        again = machine.inv("local.up", "--state", str(state)).expect_success()
        released = shell.inv("release-staging").expect_success()
        typed = machine.inv("local.up", "--state", str(state), INVOKE_BUILD_ENGINE="bundle").expect_success()
        environ_file = (state / "environ").read_text()
    finally:
        stopped = shell.inv("local.down").expect_success()

    command = f"INVOKE_BUILD_ENGINE=auto {workspaces.program('inv')} local.up --state {state} && . {state}/environ"
    choice = "INVOKE_BUILD_ENGINE=bundle, which leaves out the base image and RUN"
    assert f"; to build the next ones: {command}  # or {choice}\n" in again.out
    assert "its next images are built with bundle, in a shell that has typed this again:\n" in typed.out
    assert "export INVOKE_BUILD_ENGINE=bundle\n" in environ_file
    assert "the image is a stand-in, which only answers: nothing about the app itself is proven" in released.out
    assert re.search("^unset .*INVOKE_BUILD_ENGINE .*", stopped.out, re.MULTILINE)
    assert re.search("^unset .*AWS_ENDPOINT_URL ", stopped.out, re.MULTILINE)


def test_an_app_that_was_never_released_has_a_release_to_roll_back_to_in_another_account(app: Workspace) -> None:
    config = (app.clone / "kaizen.toml").read_text()
    place = 'account = "210987654321"\nregion = "eu-central-1"\nprofile = "prod-sso"'
    app.commit("kaizen.toml", config.replace("[environments.prod]", f"[environments.prod]\n{place}"))

    result = app.inv("rehearse", "--flow", "rollback --env prod --reason trial", "--json").expect_success()

    (rollback,) = result.document["commands"]
    assert {step["step"] for step in rollback["steps"]} >= {"deploy prod", "verify prod", "hold prod"}
    assert "as if released before: v0.1.7 runs in staging, prod, mark, shane, dom" in result.err
    assert "roll back prod to v0.1.6" in result.err
    assert "prod: account 210987654321, eu-central-1" in result.err
    assert app.git("tag", "--list") == ""


def test_unknown_flow_is_refused(app: Workspace) -> None:
    assert_refused(app.inv("rehearse", "--flow", "relase-staging"), 2)
    assert_refused(app.inv("rehearse", "--keep", "here"), 2)


NEEDY_APP = """
import http.server, json, os, sys
version = {"version": os.environ["APP_VERSION"], "environment": os.environ["ENVIRONMENT"]}
assert os.environ["API_KEY"] == "from the file"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(version).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NEEDY_FILES = {
    "serve.py": NEEDY_APP,
    "entrypoint.sh": '#!/bin/sh\n: "${DATABASE_URL:?set DATABASE_URL}"\nexec "$@"\n',
    "Dockerfile": (
        "FROM python AS build\nFROM python\nARG VERSION\nENV APP_VERSION=${VERSION}\nWORKDIR /srv\nCOPY . .\n"
        'EXPOSE 8000\nENTRYPOINT ["./entrypoint.sh"]\nCMD ["python", "serve.py", "8000"]\n'
    ),
    "VERSION": "0.1.0\n",
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A start.\n",
    "kaizen.toml": (
        'app = "needy"\npipeline = ["staging"]\n[aws]\nregion = "eu-west-1"\n[environments.staging]\n'
        "[verify]\nmatches = 1\n"
        '[rehearse]\nsecrets = ".env.rehearse"\nenv = { DATABASE_URL = "sqlite:///{env}.db" }\n'
    ),
    ".gitignore": ".env*\n",
}


def test_app_gets_what_it_needs_to_start(app: Workspace) -> None:
    """The command is that of the Dockerfile, and the secret is in a file that git ignores."""
    app.git(
        "rm", "--quiet", "-r", *(path.name for path in app.clone.iterdir() if path.name not in {".git", "tasks.py"})
    )
    for name, text in NEEDY_FILES.items():
        (app.clone / name).write_text(text)
    (app.clone / "entrypoint.sh").chmod(0o755)
    app.git("add", "--all")
    app.git("commit", "--quiet", "--message", "Another app")
    app.git("branch", "--force", "main")
    app.git("switch", "--quiet", "main")
    (app.clone / ".env.rehearse").write_text("API_KEY='from the file'\n")

    result = app.inv("rehearse", "--json").expect_success()

    assert [command["exit_code"] for command in result.document["commands"]] == [0]
    assert "from the file" not in result.out + result.err
