from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.log_line import LogLine
from kaizen_tasks.domain.migration.origin import Origin
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import DeployFailed, Refused, UsageError
from kaizen_tasks.flows.migration import origin, retire, undo
from kaizen_tasks.flows.migration.plan import read_migration
from kaizen_tasks.flows.views.status import collect_status
from tests.fakes.logs import FakeLogs
from tests.flows.migration.scenario import Scenario

if TYPE_CHECKING:
    from kaizen_tasks.flows.migration.retire import OngoingMigration

URL = "https://mark.public.example"
OLD_ADDRESSES, NEW_ADDRESSES = frozenset({"192.0.2.1"}), frozenset({"198.51.100.1", "198.51.100.2"})


@pytest.fixture
def scenario() -> Scenario:
    """Return a team one of whose tenants has a public address, and a service on both platforms."""
    scenario = Scenario()
    scenario.configure("mark", url=URL)
    answer = ProbeResponse(status=200, body=json.dumps({"version": "v0.1.0", "environment": "mark"}).encode())
    scenario.tools.prober.answers[f"{URL}/version"] = answer
    scenario.tools.network.names |= {
        "mark.example": OLD_ADDRESSES,
        "mark-web-service.ecs.example": NEW_ADDRESSES,
        "mark.public.example": OLD_ADDRESSES,
    }
    scenario.move()
    return scenario


def _ongoing(scenario: Scenario) -> OngoingMigration:
    return retire.find_ongoing(scenario.environment(), scenario.tools)


def _ask(scenario: Scenario, *, timeout: float = 0, is_asserted: bool = False) -> origin.AddressReport:
    each = _ongoing(scenario)
    return origin.wait_for_address(
        each.environment, each.migration, each.release, scenario.tools, timeout=timeout, is_asserted=is_asserted
    )


def _retire(scenario: Scenario, *, deletes: bool = False) -> list[str]:
    change = retire.plan_retirement(
        [scenario.environment()],
        scenario.tools,
        deletes=deletes,
        command_line="inv migrate --env mark --retire",
        is_asserted=False,
    )
    return scenario.run(change)


def _lead_to_the_new_service(scenario: Scenario) -> None:
    scenario.tools.network.names["mark.public.example"] = NEW_ADDRESSES
    scenario.configure("mark", platform="ecs-express")


def test_the_name_of_the_address_tells_which_service_answers(scenario: Scenario) -> None:
    assert _ask(scenario).origin is Origin.OLD
    scenario.tools.network.names["mark.public.example"] = frozenset({"198.51.100.2"})
    assert _ask(scenario).has_moved
    scenario.tools.network.names["mark.public.example"] = OLD_ADDRESSES | NEW_ADDRESSES
    report = _ask(scenario)
    assert (report.origin, report.has_moved) == (Origin.BOTH, False)
    assert report.describe("App Runner", "ECS") == f"{URL} leads to App Runner and to ECS"


@pytest.mark.parametrize(("side", "expected"), [("old", Origin.OLD), ("new", Origin.NEW), ("nobody", Origin.UNKNOWN)])
def test_behind_a_cdn_the_log_that_has_the_request_tells(scenario: Scenario, side: str, expected: Origin) -> None:
    tools = scenario.tools
    tools.network.names["mark.public.example"] = frozenset({"203.0.113.9"})
    logs = {"old": tools.logs, "new": tools.migration_target.logs}.get(side, FakeLogs())
    probe = tools.prober.probe

    def log_and_answer(url: str, **arguments: object) -> ProbeResponse:
        line = LogLine(at=tools.clock.now(), stream="a task", text=f"GET {url}", id=url)
        logs.lines.setdefault("mark-web-service", []).append(line)
        return probe(url, **arguments)  # type: ignore[arg-type]

    tools.prober.probe = log_and_answer  # type: ignore[method-assign]

    assert _ask(scenario).origin is expected


def test_a_person_may_vouch_for_the_address_but_not_for_the_release(scenario: Scenario) -> None:
    scenario.tools.network.names.clear()
    assert _ask(scenario, is_asserted=True).has_moved
    scenario.tools.prober.answers[f"{URL}/version"] = ProbeResponse(status=503)

    report = _ask(scenario, is_asserted=True)

    assert not report.has_moved
    assert report.problem


def test_asks_until_the_name_has_moved(scenario: Scenario) -> None:
    answer = scenario.tools.prober.answers[f"{URL}/version"]
    assert isinstance(answer, ProbeResponse)

    def answer_and_move() -> ProbeResponse:
        if scenario.tools.prober.urls.count(f"{URL}/version") > 8:
            scenario.tools.network.names["mark.public.example"] = NEW_ADDRESSES
        return answer

    scenario.tools.prober.answers[f"{URL}/version"] = answer_and_move

    assert _ask(scenario, timeout=600).has_moved
    notes = [line for line in scenario.tools.reporter.lines if "still leads to App Runner" in line]
    assert len(notes) == 1


def test_gives_up_at_the_deadline(scenario: Scenario) -> None:
    began = scenario.tools.clock.monotonic()

    assert _ask(scenario, timeout=60).origin is Origin.OLD

    assert 60 <= scenario.tools.clock.monotonic() - began < 120


def test_in_a_local_cloud_a_public_address_is_nobodys(scenario: Scenario) -> None:
    migration = _ongoing(scenario).migration
    assert origin.address_of(scenario.environment(), migration, scenario.tools) == URL
    services = scenario.tools.platform.services

    services["mark-web-service"] = evolve(services["mark-web-service"], url="http://127.0.0.1:8080")

    assert origin.address_of(scenario.environment(), migration, scenario.tools) == ""


def test_pauses_first_and_deletes_when_it_is_typed_again(scenario: Scenario) -> None:
    _lead_to_the_new_service(scenario)

    assert _retire(scenario) == ["pause mark-web-service"]
    assert scenario.tools.platform.services["mark-web-service"].status is ServiceStatus.PAUSED
    assert scenario.tools.reporter.summaries[-1] == (
        "mark-web-service is paused",
        "to delete for good: inv migrate --env mark --retire --delete",
    )

    assert _ongoing(scenario).migration.is_retired
    assert _retire(scenario, deletes=True) == ["delete mark-web-service on App Runner for good"]
    assert "mark-web-service" not in scenario.tools.platform.services
    assert scenario.events() == ["migrating", "retired", "migrated"]
    assert read_migration(scenario.environment(), scenario.tools) is None


def test_a_pause_that_was_not_recorded_is_not_followed_by_a_deletion(scenario: Scenario) -> None:
    _lead_to_the_new_service(scenario)
    with pytest.raises(Refused, match="is not paused") as caught:
        _retire(scenario, deletes=True)
    assert caught.value.hint == "pause it first: inv migrate --env mark --retire"
    scenario.tools.platform.set_status("mark-web-service", ServiceStatus.PAUSED)

    assert _retire(scenario) == ["pause mark-web-service"]

    assert "mark-web-service" in scenario.tools.platform.services
    assert scenario.events() == ["migrating", "retired"]


def test_refuses_while_the_address_leads_to_the_old_service(scenario: Scenario) -> None:
    scenario.configure("mark", platform="ecs-express")

    with pytest.raises(Refused, match="still leads to App Runner") as caught:
        _retire(scenario)

    assert caught.value.hint.endswith("--moved REASON")
    assert scenario.tools.platform.services["mark-web-service"].status is ServiceStatus.RUNNING


def test_refuses_while_the_configuration_names_the_old_service(scenario: Scenario) -> None:
    with pytest.raises(Refused, match="the configuration still names the service on App Runner") as caught:
        _retire(scenario)

    assert caught.value.hint == "bring it over first: inv migrate --env mark --to ecs-express"


def test_does_not_delete_what_somebody_has_resumed(scenario: Scenario) -> None:
    _lead_to_the_new_service(scenario)
    _retire(scenario)
    scenario.tools.platform.set_status("mark-web-service", ServiceStatus.RUNNING)

    with pytest.raises(DeployFailed, match="somebody has resumed it"):
        _retire(scenario, deletes=True)

    assert "mark-web-service" in scenario.tools.platform.services


def test_there_is_nothing_to_retire_without_a_migration(scenario: Scenario) -> None:
    with pytest.raises(UsageError, match="shane is not being moved"):
        retire.find_ongoing(scenario.environment("shane"), scenario.tools)


def _undo(scenario: Scenario) -> None:
    ongoing = [_ongoing(scenario)]
    command_line = "inv migrate --env mark --undo"
    if resumption := undo.plan_resumption(ongoing, scenario.tools, command_line=command_line):
        scenario.run(resumption)
    undo.require_led_back(ongoing, scenario.tools, is_asserted=False)
    scenario.run(undo.plan_undo(ongoing, scenario.tools, command_line=command_line))


def test_goes_back_before_anything_was_switched(scenario: Scenario) -> None:
    _undo(scenario)

    assert scenario.tools.migration_target.platform.services == {}
    assert scenario.tools.platform.services["mark-web-service"].status is ServiceStatus.RUNNING
    assert scenario.events() == ["migrating", "unmigrated"]
    scenario.move()
    assert scenario.events() == ["migrating", "unmigrated", "migrating"]


def test_goes_back_after_the_old_service_was_paused(scenario: Scenario) -> None:
    _lead_to_the_new_service(scenario)
    _retire(scenario)
    with pytest.raises(Refused, match="leads to ECS Express Mode") as caught:
        _undo(scenario)
    assert "https://mark.example" in caught.value.hint
    assert scenario.tools.platform.services["mark-web-service"].status is ServiceStatus.RUNNING
    scenario.tools.network.names["mark.public.example"] = OLD_ADDRESSES

    _undo(scenario)

    assert scenario.tools.migration_target.platform.services == {}
    assert scenario.events() == ["migrating", "retired", "unmigrated"]


def test_going_back_to_an_older_release_is_said_with_the_command_that_deploys_the_newer_one(scenario: Scenario) -> None:
    tools, environment = scenario.tools, scenario.environment()
    old = tools.registry.find_image(environment.repository, "v0.1.0")
    assert old is not None
    tools.registry.put(environment.repository, "latest", old)
    _lead_to_the_new_service(scenario)
    scenario.release("mark", "v0.2.0")
    tools.platform.set_status("mark-web-service", ServiceStatus.PAUSED)
    lag = "; mark gets v0.1.0 again, not v0.2.0"

    resumption = undo.plan_resumption([_ongoing(scenario)], tools, command_line="again")
    change = undo.plan_undo([_ongoing(scenario)], tools, command_line="again")

    assert resumption is not None
    assert resumption.question == f"resume mark-web-service{lag}"
    assert change.question == f"delete mark-web-service in ECS Express Mode{lag}"
    scenario.run(change)
    command = "inv deploy --env mark --release v0.2.0"
    assert tools.reporter.summaries[-1] == (
        f"mark runs on App Runner alone{lag}",
        f"to deploy what was released last: {command}",
    )
    scenario.configure("mark", platform="apprunner")
    (status,) = collect_status([scenario.environment()], tools)
    assert f"the ledger says v0.2.0 verified, but :latest is v0.1.0; to deploy it: {command}" in status.drift


def test_going_back_to_the_same_release_says_nothing_of_it(scenario: Scenario) -> None:
    image = scenario.tools.registry.find_image(scenario.environment().repository, "v0.1.0")
    assert image is not None
    scenario.tools.registry.put(scenario.environment().repository, "latest", image)

    _undo(scenario)

    assert scenario.tools.reporter.summaries[-1] == ("mark runs on App Runner alone", "inv status --env mark")


def test_there_is_no_way_back_once_the_old_service_is_deleted(scenario: Scenario) -> None:
    del scenario.tools.platform.services["mark-web-service"]

    with pytest.raises(Refused, match="is deleted") as caught:
        undo.plan_resumption([_ongoing(scenario)], scenario.tools, command_line="")

    assert caught.value.hint.endswith("inv migrate --env mark --retire")


def test_leaves_a_service_alone_that_somebody_else_has_created(scenario: Scenario) -> None:
    scenario.tools.migration_target.tags.clear()

    _undo(scenario)

    assert "mark-web-service" in scenario.tools.migration_target.platform.services
    assert scenario.events() == ["migrating", "unmigrated"]
