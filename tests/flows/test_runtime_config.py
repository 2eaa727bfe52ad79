"""Changing the runtime configuration, and restoring it."""

from __future__ import annotations

import json
import uuid

import pytest
from attrs import evolve

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import DeployFailed, Refused, RollbackFailed, Unproven, VerifyFailed
from kaizen_tasks.flows import catalogue, runtime_config
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import RestoreConfig, SetConfig
from kaizen_tasks.ports.secrets import Secret
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release

NAME = "staging-web-app-secrets"
SERVICE = "staging-web-service"


@pytest.fixture
def tools() -> FakeTools:
    """Tools with v0.2.0 verified in staging."""
    made = FakeTools()
    release(made)
    made.platform.started_services.clear()
    return made.next_command()


def configure(tools: FakeTools, **values: str) -> SetConfig:
    """Return the step of `inv runtime.set --env staging`."""
    return SetConfig(environment=tools.settings.environments["staging"], values=values, version=str(uuid.uuid4()))


def change(tools: FakeTools, *, deploy: bool = True, go_back: bool = True, **values: str) -> None:
    """Run `inv runtime.set --env staging`."""
    tools.next_command()
    staging = tools.settings.environments["staging"]
    runtime_config.change_config(configure(tools, **values), staging, tools, deploy=deploy, auto_rollback=go_back)


def restore(tools: FakeTools) -> None:
    """Run `inv runtime.rollback --env staging`."""
    tools.next_command()
    staging = tools.settings.environments["staging"]
    runtime_config.change_config(
        RestoreConfig(environment=staging, reason="slow"), staging, tools, deploy=True, auto_rollback=False
    )


def document(tools: FakeTools) -> dict[str, object]:
    """Return what is configured."""
    read: dict[str, object] = json.loads(tools.secrets.current(NAME).content.reveal())
    return read


def events(tools: FakeTools) -> list[Event]:
    """Return the ledger's entries about configurations, oldest first."""
    return [entry.event for entry in tools.ledger.all_entries[3:]]


def test_change_is_written_deployed_verified_and_recorded(tools: FakeTools) -> None:
    change(tools, AI_TEMPERATURE="0.4")

    assert document(tools) == {"AI_TEMPERATURE": "0.4", "TOKEN": "hush", "DATABASE_URL": "postgres://hush"}
    assert tools.platform.started_services == [SERVICE]
    assert tools.running_versions["staging"] == "v0.2.0"
    assert events(tools) == [Event.CONFIGURED, Event.STARTED, Event.DEPLOYED, Event.VERIFIED]
    version = tools.secrets.current(NAME).version
    assert {entry.configuration for entry in tools.ledger.all_entries[3:]} == {version}


def test_unchanged_values_do_nothing(tools: FakeTools) -> None:
    asked = len(tools.prober.urls)

    change(tools, AI_TEMPERATURE="0.20")

    assert (tools.secrets.writes, tools.platform.started_services, events(tools)) == ([], [], [])
    assert len(tools.prober.urls) == asked


def test_secret_values_are_never_shown_or_recorded(tools: FakeTools) -> None:
    change(tools, TOKEN="hush hush")

    assert "hush" not in str(tools.reporter.lines) + str(tools.ledger.all_entries)
    assert "set config staging: TOKEN [redacted] → [redacted]" in tools.reporter.lines


def test_dry_run_shows_every_step_and_changes_nothing(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]

    runtime_config.change_config(
        configure(tools, AI_TEMPERATURE="0.4"), staging, tools, dry_run_step, deploy=True, auto_rollback=True
    )

    steps = ["set config", "redeploy", "verify", "smoke", "record"]
    assert tools.reporter.verdicts == [("act", f"{step} staging") for step in steps]
    assert (tools.secrets.writes, tools.platform.started_services, events(tools)) == ([], [], [])


def test_change_without_deployment_is_read_by_the_next_one(tools: FakeTools) -> None:
    change(tools, deploy=False, AI_TEMPERATURE="0.4")
    assert (tools.platform.started_services, events(tools)) == ([], [Event.CONFIGURED])

    change(tools, AI_TEMPERATURE="0.4")
    assert (tools.platform.started_services, tools.secrets.writes) == ([SERVICE], [NAME])

    change(tools, AI_TEMPERATURE="0.4")
    assert tools.platform.started_services == [SERVICE]


def test_deployment_after_the_change_counts_as_read(tools: FakeTools) -> None:
    """Every deployment reads the current configuration when it starts."""
    change(tools, deploy=False, AI_TEMPERATURE="0.4")
    noted = tools.scm.working_tree.files["CHANGELOG.md"].replace(
        b"[Unreleased]\n", b"[Unreleased]\n\n### Fixed\n\n- It\n", 1
    )
    tools.upstream.branches["main"] = tools.scm.commit({"CHANGELOG.md": noted})
    release(tools.next_command())
    tools.platform.started_services.clear()

    change(tools, AI_TEMPERATURE="0.4")

    assert tools.platform.started_services == []


def test_serving_release_is_known_after_many_changes(tools: FakeTools) -> None:
    for number in range(5):
        change(tools, deploy=False, AI_TEMPERATURE=f"1.{number}")

    newest = entries.read_latest_entry(tools.settings.environments["staging"], tools)

    assert newest is not None
    assert newest.event is Event.VERIFIED


@pytest.mark.parametrize("stopped_after", range(1, 5))
def test_stopped_change_is_finished(tools: FakeTools, stopped_after: int) -> None:
    """Wherever it is stopped, the same command deploys once, verifies and records."""
    staging = tools.settings.environments["staging"]
    flow = (configure(tools, AI_TEMPERATURE="0.4"), *catalogue.apply_runtime_config(staging))
    run_flow(flow[:stopped_after], runtime_config.require_serving_release(staging, tools), tools)

    change(tools, AI_TEMPERATURE="0.4")

    assert (tools.secrets.writes, tools.platform.started_services) == ([NAME], [SERVICE])
    assert events(tools)[-1] is Event.VERIFIED


def test_change_stopped_between_intent_and_write_is_written(tools: FakeTools) -> None:
    step = configure(tools, AI_TEMPERATURE="0.4")

    def kill() -> None:
        raise KeyboardInterrupt

    tools.secrets.rivals.append(kill)
    with pytest.raises(KeyboardInterrupt):
        run_flow((step,), runtime_config.require_serving_release(step.environment, tools), tools)
    assert document(tools)["AI_TEMPERATURE"] == "0.2"

    change(tools, AI_TEMPERATURE="0.4")

    assert document(tools)["AI_TEMPERATURE"] == "0.4"
    assert tools.platform.started_services == [SERVICE]


def test_running_deployment_is_resumed(tools: FakeTools) -> None:
    step = configure(tools, AI_TEMPERATURE="0.4")
    written = run_flow((step,), runtime_config.require_serving_release(step.environment, tools), tools)
    operation = tools.platform.start_deployment(tools.platform.get_service(SERVICE), "")
    entries.append(Event.STARTED, step.environment, written, tools, operation=operation)

    change(tools, AI_TEMPERATURE="0.4")

    assert tools.platform.started_services == [SERVICE]
    assert events(tools)[-2:] == [Event.DEPLOYED, Event.VERIFIED]


def test_concurrent_changes_are_both_kept(tools: FakeTools) -> None:
    """The slower one is refused; run again, it keeps the other's change."""

    def rival() -> None:
        theirs = tools.secrets.current(NAME)
        tools.secrets.write(
            NAME, Secret('{"AI_TEMPERATURE": "1", "NEW": "x"}'), version="rival", expected_current=theirs.version
        )

    tools.secrets.rivals.append(rival)
    with pytest.raises(Refused, match="somebody else changed"):
        change(tools, TOKEN="mine")
    assert tools.platform.started_services == []

    change(tools, TOKEN="mine")

    assert document(tools) == {"AI_TEMPERATURE": "1", "NEW": "x", "TOKEN": "mine"}


def test_failed_verification_restores_the_previous_configuration(tools: FakeTools) -> None:
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging=behaves(tools))

    with pytest.raises(VerifyFailed) as failed:
        change(tools, AI_TEMPERATURE="1.9")

    assert failed.value.exit_code == 8
    assert failed.value.state == "the previous configuration is active again, and v0.2.0 is verified with it"
    assert document(tools)["AI_TEMPERATURE"] == "0.2"
    assert tools.platform.started_services == [SERVICE] * 2
    assert [each for each in events(tools) if each is not Event.STARTED] == [
        Event.CONFIGURED,
        Event.DEPLOYED,
        Event.FAILED,
        Event.RESTORED,
        Event.DEPLOYED,
        Event.VERIFIED,
    ]


def test_cached_answers_restore_nothing(tools: FakeTools) -> None:
    """They say nothing about the app with the new values."""
    cached = ProbeResponse(status=200, body=b"{}", headers={"age": "37"})
    tools.prober.answers["https://staging.example/version"] = cached

    with pytest.raises(Unproven):
        change(tools, AI_TEMPERATURE="1.9")

    assert document(tools)["AI_TEMPERATURE"] == "1.9"
    assert events(tools)[-1] is Event.DEPLOYED


def test_failed_deployment_restores_the_previous_configuration(tools: FakeTools) -> None:
    """The platform has kept the old instances; a deployment makes sure that none has read the new configuration."""
    tools.platform.outcomes[SERVICE] = OperationState.ROLLED_BACK
    tools.secrets.rivals += [lambda: None, tools.platform.outcomes.clear]

    with pytest.raises(DeployFailed, match="ROLLED_BACK") as failed:
        change(tools, AI_TEMPERATURE="1.9")

    assert failed.value.exit_code == 7
    assert document(tools)["AI_TEMPERATURE"] == "0.2"


def test_failed_restore_is_reported(tools: FakeTools) -> None:
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging="broken")

    with pytest.raises(RollbackFailed, match="restoring the previous configuration failed as well"):
        change(tools, AI_TEMPERATURE="1.9")


def test_no_rollback_keeps_the_new_configuration(tools: FakeTools) -> None:
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging=behaves(tools))

    with pytest.raises(VerifyFailed):
        change(tools, go_back=False, AI_TEMPERATURE="1.9")

    assert document(tools)["AI_TEMPERATURE"] == "1.9"


def test_change_by_somebody_else_is_not_restored(tools: FakeTools) -> None:
    def deployed(_: object) -> None:
        tools.running_versions["staging"] = "broken"
        tools.secrets.write(NAME, Secret("{}"), version="theirs", expected_current=tools.secrets.current(NAME).version)

    tools.platform.on_deployed = deployed

    with pytest.raises(VerifyFailed):
        change(tools, AI_TEMPERATURE="1.9")

    assert tools.secrets.current(NAME).version == "theirs"


def behaves(tools: FakeTools) -> str:
    """Return the app's answer: a wrong one when it is too hot."""
    return "broken" if document(tools)["AI_TEMPERATURE"] == "1.9" else "v0.2.0"


def test_restore_is_done_once(tools: FakeTools) -> None:
    change(tools, AI_TEMPERATURE="0.4")
    restore(tools)
    assert document(tools)["AI_TEMPERATURE"] == "0.2"
    assert tools.platform.started_services == [SERVICE] * 2

    restore(tools)

    assert document(tools)["AI_TEMPERATURE"] == "0.2"
    assert tools.platform.started_services == [SERVICE] * 2
    assert tools.reporter.labels_with("act") == []


@pytest.mark.parametrize("stopped_after", range(1, 5))
def test_stopped_restore_is_finished(tools: FakeTools, stopped_after: int) -> None:
    staging = tools.settings.environments["staging"]
    change(tools, AI_TEMPERATURE="0.4")
    flow = (RestoreConfig(environment=staging, reason="slow"), *catalogue.apply_runtime_config(staging))
    run_flow(flow[:stopped_after], runtime_config.require_serving_release(staging, tools), tools)

    restore(tools)

    assert document(tools)["AI_TEMPERATURE"] == "0.2"
    assert tools.platform.started_services == [SERVICE] * 2
    assert events(tools)[-1] is Event.VERIFIED


def test_restore_needs_a_previous_version(tools: FakeTools) -> None:
    with pytest.raises(Refused, match="no previous version"):
        restore(tools)


def test_change_written_elsewhere_is_deployed(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]
    tools.secrets.write(NAME, Secret('{"AI_TEMPERATURE": "1"}'), version="console", expected_current="staging-1")

    for _ in range(2):
        runtime_config.deploy_config(staging, tools.next_command())

    assert tools.platform.started_services == [SERVICE]
    assert events(tools)[-1] is Event.VERIFIED


def test_redeploy_refuses_when_latest_is_another_release(tools: FakeTools) -> None:
    repository = tools.registry.repositories["staging-web-app"]
    other = evolve(repository.images[repository.tags["latest"]], digest="sha256:" + "0" * 64, version="v0.3.0")
    tools.registry.put("staging-web-app", "latest", other)

    with pytest.raises(Refused, match=r":latest is v0\.3\.0, and v0\.2\.0 is serving"):
        change(tools, AI_TEMPERATURE="0.4")

    assert tools.platform.started_services == []


def test_change_is_refused_during_a_deployment(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]
    entries.append(Event.STARTED, staging, runtime_config.require_serving_release(staging, tools), tools)

    with pytest.raises(Refused, match="has not ended"):
        change(tools, AI_TEMPERATURE="0.4")

    assert tools.secrets.writes == []


def test_change_is_refused_when_no_release_is_known_to_serve(tools: FakeTools) -> None:
    """An environment that was only ever deployed by hand."""
    with pytest.raises(Refused, match="does not know which release is serving"):
        runtime_config.require_serving_release(tools.settings.environments["prod"], tools)


def test_document_that_would_be_too_long_is_refused(tools: FakeTools) -> None:
    """Secrets Manager takes 64 KiB."""
    half = "x" * 40_000
    change(tools, deploy=False, TOKEN=half)

    with pytest.raises(Refused, match="longer than 65,536 bytes"):
        change(tools, deploy=False, AI_TEMPERATURE=half)

    assert tools.secrets.writes == [NAME]


def test_secret_that_is_no_json_object_is_refused(tools: FakeTools) -> None:
    tools.secrets.write(NAME, Secret("hush"), version="2", expected_current="staging-1")

    with pytest.raises(Refused, match="cannot be read: it is not a JSON object") as refused:
        change(tools, AI_TEMPERATURE="0.4")

    assert "hush" not in str(refused.value)


def test_read_runtime_config_returns_both_versions(tools: FakeTools) -> None:
    change(tools, deploy=False, AI_TEMPERATURE="0.4")

    seen = runtime_config.read_runtime_config(tools.settings.environments["staging"], tools)

    assert (seen.is_new("AI_TEMPERATURE"), seen.is_new("TOKEN")) == (True, False)
    assert runtime_config.read_runtime_config(tools.settings.environments["prod"], tools).is_new("TOKEN")
