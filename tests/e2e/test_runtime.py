"""`inv runtime.*`: a value arrives in the running app without a release."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import new_world
from tests.support import workspace
from tests.support.waiting import HANG_SECONDS
from tests.support.workspace import assert_refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.local_cloud import Cloud
    from tests.support.workspace import Workspace

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


@pytest.fixture(scope="module")
def world(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An app with a runtime configuration, released to staging; each test sets what it looks at."""
    made = new_world(cloud, tmp_path_factory.mktemp("runtime"), RUNTIME)
    made.inv("release-staging").expect_success()
    return made


def configured(world: Workspace) -> dict[str, Any]:
    """Return what staging's app says of itself."""
    url = world.inv("status", "--json").document["environments"]["staging"]["url"]
    with urllib.request.urlopen(f"{url}/settings", timeout=HANG_SECONDS) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def shown(world: Workspace) -> dict[str, Any]:
    """Return what `runtime.show` says of staging."""
    document: dict[str, Any] = world.inv("runtime.show", *STAGING, "--json").expect_success().document
    found: dict[str, Any] = document["environments"]["staging"]
    return found


def test_a_value_arrives_and_goes_without_a_release(world: Workspace) -> None:
    refs, before = world.refs, configured(world)
    world.inv("runtime.set", *STAGING, "--set", "AI_MODEL=coach-large", "--set", "AI_TEMPERATURE=0.4").expect_success()
    assert configured(world) == {"model": "coach-large", "temperature": 0.4, "calendar": True}

    again = world.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=0.40").expect_success()
    assert again.verdicts == [("already done", "set config staging")]

    difference = world.inv("runtime.diff", "--env", "staging", "--against", "prod", "--json").expect_success().document
    assert difference["keys"]["AI_MODEL"] == {
        "same": False,
        "visible": True,
        "values": ["coach-large", "coach-small"],
    }
    assert difference["keys"]["CALENDAR_TOKEN"]["values"] == [None, None]

    world.inv("runtime.rollback", *STAGING).expect_success()
    assert (configured(world), world.refs) == (before, refs)


def test_a_secret_is_nowhere_but_in_the_app(world: Workspace) -> None:
    """Not in what is said, not in the lists of processes, not in what the local cloud writes down of requests."""
    (world.clone.parent / "token").write_text("hush-hush-hush")
    said = world.inv("runtime.set", *STAGING, "--set-file", "CALENDAR_TOKEN=../token").expect_success()
    history = world.inv("history", *STAGING, "--json").expect_success()
    table = world.inv("runtime.show", *STAGING).expect_success()

    assert "hush" not in said.out + said.err + history.out + table.out + json.dumps(world.requests)
    assert shown(world)["keys"]["CALENDAR_TOKEN"]["value"] is None
    assert_refused(world.inv("runtime.set", *STAGING, "--set", "CALENDAR_TOKEN=hush"), 2)


def test_nothing_is_asked_and_nothing_changed_by_a_bad_value(world: Workspace) -> None:
    before = len(world.requests)
    for bad in ("AI_TEMPERATURE=3", "AI_MODEL=gpt", "AI_TEMPERATUR=1"):
        assert_refused(world.inv("runtime.set", *STAGING, "--set", bad), 2)
    assert_refused(world.inv("runtime.set", "--env", "prod", "--set", "AI_TEMPERATURE=1"), 3)  # and nobody to ask
    assert workspace.mutating_operations(world.requests[before:]) == []


def test_a_configuration_with_which_the_app_does_not_come_up_is_undone(world: Workspace, tmp_path: Path) -> None:
    """App Runner keeps the old instances; then the configuration before is deployed and proven."""
    before, lenient = configured(world), world.copy_to(tmp_path / "coach")
    rules = (world.clone / "kaizen.toml").read_text().replace('"number", min = 0, max = 2', '"string"')
    lenient.commit("kaizen.toml", rules)
    said = lenient.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=warm")
    assert_refused(said, 7)
    assert "the previous configuration is active again" in said.err
    assert configured(world) == before
    events = [entry["event"] for entry in world.inv("history", *STAGING, "--json").document]
    assert events[:1] == ["verified"]
    assert {"configured", "failed", "restored"} <= set(events)


def test_no_edit_of_several_at_once_is_lost(world: Workspace) -> None:
    """Each waits for the one before, and begins with what that one has left."""
    runs = [
        world.start("runtime.set", *STAGING, "--set", f"KEY_{number}={number + 7}", "--wait", "2m")
        for number in range(EDITORS)
    ]
    said = [run.communicate(timeout=workspace.COMMAND_SECONDS) for run in runs]
    assert [run.returncode for run in runs] == [0] * EDITORS, said
    keys = shown(world)["keys"]
    assert [keys[f"KEY_{number}"]["value"] for number in range(EDITORS)] == [str(n + 7) for n in range(EDITORS)]


def test_what_was_killed_is_finished(world: Workspace) -> None:
    """Between the write and the end of the deployment."""
    run = world.start("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=1.5")
    assert run.stdout
    for line in run.stdout:
        if "redeploy" in line:
            run.kill()
            break
    run.communicate()
    said = world.inv("runtime.set", *STAGING, "--set", "AI_TEMPERATURE=1.5", "--wait", "2m").expect_success()
    assert ("already done", "set config staging") in said.verdicts
    assert ("done", "record staging") in said.verdicts
    assert configured(world)["temperature"] == 1.5
