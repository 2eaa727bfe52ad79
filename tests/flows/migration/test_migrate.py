from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.migration.definition import CREATION_TAG
from kaizen_tasks.domain.migration.plan import Choices
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.errors import (
    DeployFailed,
    KaizenError,
    Locked,
    Refused,
    RolloutFailed,
    UsageError,
    VerifyFailed,
)
from kaizen_tasks.flows.migration.plan import MigrationRequest, read_migration
from tests.fakes.migration import failed_creation
from tests.flows.migration.scenario import DIGESTS, TO_EXPRESS, Scenario


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def test_creates_the_new_service_with_the_same_digest_and_proves_it(scenario: Scenario) -> None:
    questions = scenario.move()

    definition = scenario.tools.migration_target.definitions[0]
    assert definition.image.endswith(f"/mark-web-app@{DIGESTS['v0.1.0']}")
    assert definition.variables["TENANT"] == "a value"
    assert definition.tags[CREATION_TAG] == "web/mark"
    assert questions == ["create mark-web-service in ECS Express Mode"]
    assert scenario.tools.prober.urls.count("https://mark-web-service.ecs.example/version") == 3
    assert scenario.tools.prober.urls.count("https://mark-web-service.ecs.example/") == 1
    assert scenario.events() == ["migrating"]
    assert scenario.tools.reporter.summaries[-1][0] == "mark runs on App Runner and on ECS Express Mode"


def test_the_ledger_knows_both_services(scenario: Scenario) -> None:
    scenario.move()

    migration = read_migration(scenario.environment(), scenario.tools)

    assert migration is not None
    assert migration.old_service == "mark-web-service"
    assert migration.new_id == "arn:aws:ecs:eu-west-1:123456789012:service/default/mark-web-service"
    assert (migration.version, migration.digest) == ("v0.1.0", DIGESTS["v0.1.0"])


def test_typed_again_it_proves_again_and_changes_nothing(scenario: Scenario) -> None:
    scenario.move()
    entries = len(scenario.tools.ledger.all_entries)

    questions = scenario.move()

    assert questions == []
    assert len(scenario.tools.migration_target.definitions) == 1
    assert len(scenario.tools.ledger.all_entries) == entries
    assert scenario.tools.prober.urls.count("https://mark-web-service.ecs.example/version") == 6


def test_a_release_in_between_reaches_the_new_service_when_it_is_typed_again(scenario: Scenario) -> None:
    scenario.move()
    scenario.release("mark", "v0.2.0")

    scenario.move()

    assert scenario.tools.migration_target.platform.started_images["mark-web-service"].endswith(DIGESTS["v0.2.0"])
    migration = read_migration(scenario.environment(), scenario.tools)
    assert migration is not None
    assert migration.version == "v0.2.0"
    assert scenario.events() == ["migrating", "migrating"]


def test_a_dry_run_says_what_it_would_do(scenario: Scenario) -> None:
    scenario.tools.dry = True

    scenario.move()

    assert scenario.tools.migration_target.definitions == []
    assert scenario.events() == []
    assert "create mark: create mark-web-service in ECS Express Mode with v0.1.0" in scenario.tools.reporter.lines


def test_waits_for_a_creation_that_a_killed_run_has_begun(scenario: Scenario) -> None:
    scenario.tools.migration_target.platform.polls = 10**6
    scenario.tools.settings = evolve(
        scenario.tools.settings, deploy=scenario.tools.settings.deploy._replace(timeout=Seconds(30))
    )
    with pytest.raises(DeployFailed):
        scenario.move()
    scenario.tools.migration_target.platform.polls = 0
    scenario.tools.migration_target.platform._polls_left["mark-web-service"] = 0

    scenario.move()

    assert len(scenario.tools.migration_target.definitions) == 1
    assert scenario.events() == ["migrating"]


def test_a_creation_that_fails_leaves_the_old_service_alone_and_is_repeated(scenario: Scenario) -> None:
    platform = scenario.tools.migration_target.platform
    platform.outcomes["mark-web-service"] = OperationState.ROLLED_BACK

    with pytest.raises(DeployFailed, match="ROLLED_BACK") as caught:
        scenario.move()

    assert caught.value.state == "App Runner serves v0.1.0 as before"
    assert caught.value.hint.endswith("inv migrate --env mark --to ecs-express")
    platform.outcomes.clear()
    scenario.move()
    assert len(scenario.tools.migration_target.definitions) == 2


def test_never_deletes_a_failed_service_that_it_has_not_created(scenario: Scenario) -> None:
    target = scenario.tools.migration_target
    target.platform.add("mark-web-service", image=f"registry.example/mark-web-app@{DIGESTS['v0.1.0']}")
    target.platform.history["mark-web-service"] = [failed_creation(scenario.tools.clock.now())]

    with pytest.raises(DeployFailed, match="has not created it"):
        scenario.move()

    assert "mark-web-service" in target.platform.services


def test_takes_a_service_over_that_terraform_has_created(scenario: Scenario) -> None:
    target = scenario.tools.migration_target
    definition = scenario.plan().plans[0].definition
    target.create_service(evolve(definition, tags={}))

    scenario.move()

    assert len(target.definitions) == 1
    assert scenario.events() == ["migrating"]


def test_refuses_a_service_of_the_same_name_with_other_images(scenario: Scenario) -> None:
    scenario.tools.migration_target.platform.add("mark-web-service", image="registry.example/other-app:latest")

    with pytest.raises(KaizenError, match="which runs other-app") as caught:
        scenario.move()

    assert caught.value.hint.endswith("--service NAME")
    assert scenario.tools.migration_target.definitions == []


def test_a_new_service_that_answers_wrongly_is_not_the_old_ones_fault(scenario: Scenario) -> None:
    scenario.new_versions["mark"] = "v9.9.9"

    with pytest.raises(VerifyFailed) as caught:
        scenario.move()

    assert caught.value.state == "App Runner serves v0.1.0 as before; nothing points to the new service"
    assert caught.value.hint.endswith("inv migrate --env mark --to ecs-express")


def test_smoke_checks_run_against_the_new_service(scenario: Scenario) -> None:
    scenario.move()
    scenario.tools.prober.answers["https://mark-web-service.ecs.example/"] = ProbeResponse(status=404)

    with pytest.raises(VerifyFailed, match="1 of 1 check"):
        scenario.move()


@pytest.mark.parametrize("name", ["ecsTaskExecutionRole", "ecsInfrastructureRoleForExpressServices"])
def test_refuses_roles_that_do_not_exist_or_trust_somebody_else(scenario: Scenario, name: str) -> None:
    scenario.tools.migration_target.trust[name] = frozenset({"tasks.apprunner.amazonaws.com"})
    with pytest.raises(Refused, match=f"{name} cannot be assumed by"):
        scenario.move()
    del scenario.tools.migration_target.trust[name]

    with pytest.raises(Refused, match=f"there is no role {name}") as caught:
        scenario.move()

    assert caught.value.hint.endswith("--terraform mark.tf")
    assert scenario.events() == []


def test_goes_on_where_roles_may_not_be_asked_about(scenario: Scenario) -> None:
    scenario.tools.migration_target.trust = dict.fromkeys(scenario.tools.migration_target.trust)

    scenario.move()

    assert scenario.events() == ["migrating"]


def test_names_every_setting_that_is_missing(scenario: Scenario) -> None:
    request = MigrationRequest(platform="ecs", choices=Choices(), command=("migrate", "--env", "mark", "--to", "ecs"))

    with pytest.raises(Refused, match=r"network: tasks need subnets.*load balancer: --target-group") as caught:
        scenario.move(request=request)

    assert caught.value.hint == "inv migrate --env mark --to ecs --subnets subnet-ID,subnet-ID --target-group ARN"


def test_what_to_type_has_no_value_that_was_wrong(scenario: Scenario) -> None:
    command = ("migrate", "--env", "mark", "--to", "ecs", "--subnets", "one", "--target-group", "arn:tg")
    choices = Choices(subnets=("one",), target_group="arn:tg")

    with pytest.raises(Refused, match="two zones") as caught:
        scenario.move(request=MigrationRequest(platform="ecs", choices=choices, command=command))

    assert caught.value.hint == "inv migrate --env mark --to ecs --target-group arn:tg --subnets subnet-ID,subnet-ID"


def test_a_role_that_does_not_exist_is_not_what_is_described(scenario: Scenario) -> None:
    command = (*TO_EXPRESS.command, "--execution-role", "nope")
    request = evolve(TO_EXPRESS, choices=Choices(execution_role="nope"), command=command)

    with pytest.raises(Refused, match="there is no role nope") as caught:
        scenario.move(request=request)

    assert caught.value.hint.endswith(f"or have it described: {TO_EXPRESS.command_line} --terraform mark.tf")


def test_a_name_that_is_taken_is_not_repeated(scenario: Scenario) -> None:
    scenario.tools.migration_target.platform.add("taken", image="registry.example/other-app:latest")
    command = (*TO_EXPRESS.command, "--service", "taken")

    with pytest.raises(KaizenError, match="which runs other-app") as caught:
        scenario.move(request=evolve(TO_EXPRESS, service="taken", command=command))

    assert caught.value.hint == f"choose another name: {TO_EXPRESS.command_line} --service NAME"


def test_a_service_without_an_address_of_its_own_needs_one(scenario: Scenario) -> None:
    choices = Choices(subnets=("a", "b"), target_group="arn:tg")
    request = MigrationRequest(platform="ecs", choices=choices, command=("migrate", "--env", "mark", "--to", "ecs"))

    with pytest.raises(Refused, match="ECS gives a service no address") as caught:
        scenario.move(request=request)

    assert caught.value.hint.endswith("--address https://HOST")


def test_needs_a_release_that_serves_and_its_image(scenario: Scenario) -> None:
    scenario.tools.ledger.all_entries.clear()
    with pytest.raises(Refused, match="no release that serves"):
        scenario.move()
    scenario.release("mark", "v0.1.0")
    scenario.tools.registry.repositories["mark-web-app"].images.clear()

    with pytest.raises(Refused, match="no longer has the image"):
        scenario.move()


def test_only_services_of_app_runner_move(scenario: Scenario) -> None:
    scenario.configure("mark", platform="ecs")

    with pytest.raises(UsageError, match="only services of App Runner"):
        scenario.move()


def test_a_held_environment_does_not_move(scenario: Scenario) -> None:
    from kaizen_tasks.domain.hold import Hold

    scenario.tools.holds.add(
        Hold(environment="mark", reason="a hotfix", actor="kim@ci", since=scenario.tools.clock.now())
    )

    with pytest.raises(Locked, match="a hotfix"):
        scenario.move()


def test_a_group_moves_with_the_canary_first(scenario: Scenario) -> None:
    scenario.move("mark", "shane", "dom")

    names = [definition.name for definition in scenario.tools.migration_target.definitions]
    assert names[0] == "mark-web-service"
    assert sorted(names) == ["dom-web-service", "mark-web-service", "shane-web-service"]


def test_a_canary_that_fails_keeps_the_others_where_they_are(scenario: Scenario) -> None:
    scenario.new_versions["mark"] = "v9.9.9"

    with pytest.raises(RolloutFailed) as caught:
        scenario.move("mark", "shane", "dom")

    assert caught.value.state == "failed: mark; untouched: shane, dom"
    assert caught.value.hint == f"continue: {TO_EXPRESS.command_line}"
    assert [definition.name for definition in scenario.tools.migration_target.definitions] == ["mark-web-service"]


def test_a_second_migration_to_another_place_is_refused(scenario: Scenario) -> None:
    scenario.move()

    with pytest.raises(Refused, match="moves to ECS Express Mode already") as caught:
        scenario.move(request=evolve(TO_EXPRESS, choices=Choices(cluster="other")))

    assert caught.value.hint == (
        "go on with that: inv migrate --env mark --to ecs-express; or give it up: inv migrate --env mark --undo"
    )


def test_a_move_to_another_platform_than_the_one_that_was_begun_is_refused_before_its_service_is_looked_for(
    scenario: Scenario,
) -> None:
    scenario.move()

    with pytest.raises(Refused, match="mark moves to ECS Express Mode already") as caught:
        scenario.plan(request=MigrationRequest(platform="ecs", choices=Choices()))

    assert "go on with that: inv migrate --env mark --to ecs-express;" in caught.value.hint


def test_the_name_of_the_new_service_is_remembered(scenario: Scenario) -> None:
    scenario.tools.migration_target.on_created = lambda _: None
    with pytest.raises(KaizenError):
        scenario.move(request=evolve(TO_EXPRESS, service="mark-new"))

    assert scenario.plan().plans[0].new_environment.service == "mark-new"


def test_entries_of_a_migration_do_not_count_as_deployments(scenario: Scenario) -> None:
    scenario.move()

    assert scenario.tools.ledger.all_entries[-1].event is Event.MIGRATING
    assert scenario.tools.ledger.all_entries[-1].platform == "ecs-express"
