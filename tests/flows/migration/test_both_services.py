"""What other commands know of an environment that has two services, or has left one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli.json_output import status_document
from kaizen_tasks.domain.migration.record import left_platform
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.status import EnvironmentState
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.doctor.preflight import require_no_problems
from kaizen_tasks.flows.migration import retire
from kaizen_tasks.flows.views.status import collect_status
from tests.flows.migration.scenario import Scenario

if TYPE_CHECKING:
    from kaizen_tasks.domain.status import EnvironmentStatus


@pytest.fixture
def scenario() -> Scenario:
    scenario = Scenario()
    scenario.move()
    return scenario


def _status(scenario: Scenario) -> EnvironmentStatus:
    (row,) = collect_status([scenario.environment()], scenario.tools)
    return row


def _retire(scenario: Scenario, *, deletes: bool = False) -> None:
    change = retire.plan_retirement(
        [scenario.environment()],
        scenario.tools,
        deletes=deletes,
        command_line="inv migrate --env mark --retire",
        is_asserted=True,
    )
    scenario.run(change)


def _note(scenario: Scenario) -> str:
    return _status(scenario).notes[-1]


def test_status_shows_both_while_the_configuration_names_the_old_one(scenario: Scenario) -> None:
    assert _note(scenario).endswith(
        "its service there runs v0.1.0 at https://mark-web-service.ecs.example;"
        " to go on: inv migrate --env mark --to ecs-express"
    )
    scenario.release("mark", "v0.2.0")

    assert _note(scenario).endswith("to bring it v0.2.0: inv migrate --env mark --to ecs-express")


def test_status_shows_the_old_one_until_it_is_deleted(scenario: Scenario) -> None:
    scenario.configure("mark", platform="ecs-express")
    assert _note(scenario) == (
        "the old service on App Runner still runs v0.1.0 at https://mark.example;"
        " when nobody needs it: inv migrate --env mark --retire"
    )
    _retire(scenario)
    assert _note(scenario).startswith("the old service on App Runner is paused; ")
    _retire(scenario, deletes=True)

    assert _status(scenario).second_service is None


def test_status_says_what_cannot_be_read_of_the_other_one(scenario: Scenario) -> None:
    del scenario.tools.migration_target.platform.services["mark-web-service"]

    assert "its service there does not exist" in _note(scenario)


def test_json_has_the_other_one(scenario: Scenario) -> None:
    document = status_document(scenario.tools.settings, [_status(scenario)], scenario.tools.clock.now())

    second = document["environments"]["mark"]["second_service"]
    assert (second["platform"], second["url"]) == ("ecs-express", "https://mark-web-service.ecs.example")
    assert second["running"] == {"version": "v0.1.0", "environment": "mark"}


def test_a_clone_that_does_not_know_of_the_move_deploys_nothing(scenario: Scenario) -> None:
    require_no_problems([scenario.environment()], scenario.tools)
    scenario.configure("mark", platform="ecs-express")
    _retire(scenario)
    scenario.configure("mark", platform="apprunner")

    with pytest.raises(Refused, match="mark has moved to ECS Express Mode") as caught:
        require_no_problems([scenario.environment()], scenario.tools)

    assert caught.value.hint.endswith("git pull")
    assert scenario.tools.platform.services["mark-web-service"].status is ServiceStatus.PAUSED


@pytest.mark.parametrize("deletes", [False, True], ids=["paused", "deleted"])
def test_status_of_a_clone_that_does_not_know_of_the_move_says_one_thing(scenario: Scenario, deletes: bool) -> None:
    scenario.configure("mark", platform="ecs-express")
    _retire(scenario)
    if deletes:
        _retire(scenario, deletes=True)
    scenario.configure("mark", platform="apprunner")

    status = _status(scenario)

    assert status.drift == ("it has moved to ECS Express Mode, which this configuration does not say: git pull",)
    assert status.notes == ()
    assert status.state is EnvironmentState.DRIFT


def test_a_move_that_is_under_way_or_was_given_up_leaves_no_platform(scenario: Scenario) -> None:
    entries = scenario.tools.ledger.entries("mark")

    assert left_platform(entries, scenario.environment()) == ""
