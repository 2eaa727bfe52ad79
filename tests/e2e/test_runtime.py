"""`inv runtime.*`: a value arrives in the running app without a release."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import new_workspace
from tests.support import workspaces
from tests.support.waiting import HANG_SECONDS
from tests.support.workspaces import assert_refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.local_cloud import Cloud
    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

EDITORS = 4
KEYS = "".join(f'KEY_{number} = {{ type = "integer" }}\n' for number in range(EDITORS))
RUNTIME = f"""\
[runtime]
visible = ["AI_MODEL", "AI_TEMPERATURE", {", ".join(f'"KEY_{number}"' for number in range(EDITORS))}]

[runtime.keys]
AI_MODEL = {{ type = "choice", choices = ["coach-small", "coach-large"] }}
AI_TEMPERATURE = {{ type = "number", min = 0, max = 2 }}
CALENDAR_TOKEN = {{ type = "string" }}
{KEYS}
[environments.prod]
protected = true
"""
STAGING = ("--env", "staging")
ONE_PLATFORM = pytest.mark.parametrize("workspace", ["ecs-express"], indirect=True)
"""For what is the same on all platforms."""


@pytest.fixture(scope="module", params=["apprunner", "ecs-express", "ecs"])
def workspace(request: pytest.FixtureRequest, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An app with a runtime configuration, released to staging; each test sets what it looks at."""
    staging = f'platform = "{request.param}"\nurl = "https://staging.coach.example"\n'
    made = new_workspace(cloud, tmp_path_factory.mktemp("runtime"), staging + RUNTIME)
    made.inv("release-staging").expect_success()
    return made


def configured(workspace: Workspace) -> dict[str, Any]:
    """Return what staging's app says of itself."""
    url = workspace.inv("status", "--json").document["environments"]["staging"]["url"]
    with urllib.request.urlopen(f"{url}/settings", timeout=HANG_SECONDS) as answer:
        result: dict[str, Any] = json.load(answer)
        return result


def shown(workspace: Workspace) -> dict[str, Any]:
    """Return what `runtime.show` says of staging."""
    document: dict[str, Any] = workspace.inv("runtime.show", *STAGING, "--json").expect_success().document
    found: dict[str, Any] = document["environments"]["staging"]
    return found


def test_values_are_set_and_rolled_back_without_a_release(workspace: Workspace) -> None:
    refs, before = workspace.refs, configured(workspace)
    workspace.inv(
        "runtime.set", *STAGING, "--set", "AI_MODEL=coach-large", "--set", "AI_TEMPERATURE=0.4"
    ).expect_success()
    assert configured(workspace) == {"model": "coach-large", "temperature": 0.4, "calendar": True}

    again = workspace.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=0.40").expect_success()
    assert again.verdicts == [("already done", "set config staging")]

    difference = (
        workspace.inv("runtime.diff", "--env", "staging", "--against", "prod", "--json").expect_success().document
    )
    assert difference["keys"]["AI_MODEL"] == {
        "same": False,
        "visible": True,
        "values": ["coach-large", "coach-small"],
    }
    assert difference["keys"]["CALENDAR_TOKEN"]["values"] == [None, None]

    workspace.inv("runtime.rollback", *STAGING).expect_success()
    assert (configured(workspace), workspace.refs) == (before, refs)


def test_secret_value_is_only_in_the_app(workspace: Workspace) -> None:
    """It is in no output, process list or request log."""
    (workspace.clone.parent / "token").write_text("hush-hush-hush")
    result = workspace.inv("runtime.set", *STAGING, "--set-file", "CALENDAR_TOKEN=../token").expect_success()
    history = workspace.inv("history", *STAGING, "--json").expect_success()
    table = workspace.inv("runtime.show", *STAGING).expect_success()

    assert "hush" not in result.out + result.err + history.out + table.out + json.dumps(workspace.requests)
    assert shown(workspace)["keys"]["CALENDAR_TOKEN"]["value"] is None
    assert_refused(workspace.inv("runtime.set", *STAGING, "--set", "CALENDAR_TOKEN=hush"), 2)


@ONE_PLATFORM
def test_invalid_value_is_refused_without_a_mutating_request(workspace: Workspace) -> None:
    before = len(workspace.requests)
    for bad in ("AI_TEMPERATURE=3", "AI_MODEL=gpt", "AI_TEMPERATUR=1"):
        assert_refused(workspace.inv("runtime.set", *STAGING, "--set", bad), 2)
    assert_refused(
        workspace.inv("runtime.set", "--env", "prod", "--set", "AI_TEMPERATURE=1"), 3
    )  # no terminal to confirm on
    assert workspaces.mutating_operations(workspace.requests[before:]) == []


def test_configuration_that_breaks_the_app_is_rolled_back(workspace: Workspace, tmp_path: Path) -> None:
    """The old instances stay; then the configuration before is deployed and proven."""
    before, lenient = configured(workspace), workspace.copy_to(tmp_path / "coach")
    rules = (workspace.clone / "kaizen.toml").read_text().replace('"number", min = 0, max = 2', '"string"')
    lenient.commit("kaizen.toml", rules)
    result = lenient.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=warm")
    assert_refused(result, 7)
    assert "the previous configuration is active again" in result.err
    assert configured(workspace) == before
    events = [entry["event"] for entry in workspace.inv("history", *STAGING, "--json").document]
    assert events[:1] == ["verified"]
    assert {"configured", "failed", "restored"} <= set(events)


@ONE_PLATFORM
def test_concurrent_edits_are_all_kept(workspace: Workspace) -> None:
    """Each waits for the one before, and begins with what that one has left."""
    runs = [
        workspace.start("runtime.set", *STAGING, "--set", f"KEY_{number}={number + 7}", "--wait", "2m")
        for number in range(EDITORS)
    ]
    result = [run.communicate(timeout=workspaces.COMMAND_SECONDS) for run in runs]
    assert [run.returncode for run in runs] == [0] * EDITORS, result
    keys = shown(workspace)["keys"]
    assert [keys[f"KEY_{number}"]["value"] for number in range(EDITORS)] == [str(n + 7) for n in range(EDITORS)]


@ONE_PLATFORM
def test_killed_change_is_finished_by_the_next_run(workspace: Workspace) -> None:
    """Between the write and the end of the deployment."""
    run = workspace.start("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=1.5")
    assert run.stdout
    for line in run.stdout:
        if "redeploy" in line:
            run.kill()
            break
    run.communicate()
    result = workspace.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=1.5", "--wait", "2m").expect_success()
    assert ("already done", "set config staging") in result.verdicts
    assert ("done", "record staging") in result.verdicts
    assert configured(workspace)["temperature"] == 1.5
