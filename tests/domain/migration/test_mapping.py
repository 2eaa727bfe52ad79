from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.migration.definition import CREATION_TAG, FARGATE_MEMORY, fargate_size
from kaizen_tasks.domain.migration.mapping import Counterpart, MappedSetting, map_settings
from kaizen_tasks.domain.migration.plan import Choices, define_service, parse_command
from tests.domain.migration.samples import EXPRESS, FULL_SOURCE, IMAGE, PLAIN, PLAIN_SOURCE, SECRET_ARN

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.migration.source import SourceService

APP_RUNNER_SIZES = (
    *((256, 512), (256, 1024), (512, 1024), (1024, 2048), (1024, 3072), (1024, 4096), (2048, 4096), (2048, 6144)),
    *((4096, 8192), (4096, 10240), (4096, 12288)),
)


NO_CHOICES = Choices()


def _map(
    source: SourceService, choices: Choices = NO_CHOICES, environment: Environment = EXPRESS
) -> dict[str, MappedSetting]:
    definition = define_service(source, environment, choices, app="coach", image=IMAGE, version_path="/version")
    return {row.name: row for row in map_settings(source, definition, choices)}


def test_a_service_of_the_console_becomes_an_express_service() -> None:
    definition = define_service(PLAIN_SOURCE, EXPRESS, Choices(), app="coach", image=IMAGE, version_path="/version")

    assert (definition.name, definition.cluster, definition.image) == ("mark-coach-service", "default", IMAGE)
    assert definition.variables == {"ENVIRONMENT": "mark", "LICENCE": "value-of-a-variable", "PORT": "8080"}
    assert definition.secrets == {"AI_MODEL": f"{SECRET_ARN}:AI_MODEL::"}
    assert (definition.cpu, definition.memory, definition.health_path) == (1024, 2048, "/version")
    assert (definition.min_tasks, definition.max_tasks) == (1, 20)
    assert definition.execution_role == "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
    assert definition.infrastructure_role.endswith(":role/ecsInfrastructureRoleForExpressServices")
    assert definition.tags == {CREATION_TAG: "coach/mark"}


def test_values_of_variables_are_in_no_text() -> None:
    for source in (PLAIN_SOURCE, FULL_SOURCE):
        definition = define_service(source, EXPRESS, Choices(), app="coach", image=IMAGE, version_path="")
        rows = map_settings(source, definition, Choices())
        assert "value-of-a-variable" not in f"{source!r}{definition!r}{rows!r}"


def test_says_what_has_no_counterpart() -> None:
    rows = _map(FULL_SOURCE, Choices(subnets=("subnet-p", "subnet-q")))

    missing = {name for name, row in rows.items() if row.counterpart is Counterpart.NONE}

    assert missing == {
        *("IPv6", "domains", "health check times", "idle instances", "deploys on push", "encryption key", "traces"),
    }
    assert not _missing(rows)


def test_guesses_are_marked_and_choices_are_not() -> None:
    rows = _map(PLAIN_SOURCE)
    chosen = _map(
        PLAIN_SOURCE,
        Choices(health_path="/healthz", execution_role="pulls", infrastructure_role="arn:aws:iam::1:role/x/infra"),
    )

    guesses = {name for name, row in rows.items() if row.counterpart is Counterpart.GUESS}
    assert guesses == {"pull role", "infrastructure role", "health check", "instances", "scales by"}
    assert rows["health check"].after == "HTTP 200 from /version"
    assert {name for name, row in chosen.items() if row.counterpart is Counterpart.GUESS} == {"instances", "scales by"}
    assert (chosen["pull role"].after, chosen["infrastructure role"].after) == ("pulls", "infra")


@pytest.mark.parametrize(
    ("source", "choices", "expected"),
    [
        (FULL_SOURCE, Choices(), Counterpart.MISSING),  # a public app behind subnets that may be private
        (FULL_SOURCE, Choices(subnets=("subnet-p",)), Counterpart.MISSING),
        (FULL_SOURCE, Choices(subnets=("subnet-p", "subnet-q")), Counterpart.SAME),
        (evolve(FULL_SOURCE, is_public=False), Choices(), Counterpart.SAME),
        (PLAIN_SOURCE, Choices(), Counterpart.SAME),
    ],
)
def test_does_not_hide_a_public_app_in_private_subnets(
    source: SourceService, choices: Choices, expected: Counterpart
) -> None:
    assert _map(source, choices)["network"].counterpart is expected


def test_a_plain_service_needs_subnets_and_a_target_group() -> None:
    rows = _map(PLAIN_SOURCE, environment=PLAIN)
    named = _map(PLAIN_SOURCE, Choices(subnets=("a", "b"), target_group="arn:x:targetgroup/mark/1"), PLAIN)

    assert _missing(rows) == ["network", "load balancer"]
    assert not _missing(named)
    assert "infrastructure role" not in rows
    assert rows["log"].after == "/ecs/mark-coach-service"


@pytest.mark.parametrize(("cpu", "memory"), APP_RUNNER_SIZES)
def test_fargate_has_every_size_of_app_runner(cpu: int, memory: int) -> None:
    assert fargate_size(cpu, memory) == (cpu, memory)


def test_takes_the_next_size_where_fargate_lacks_one() -> None:
    assert fargate_size(256, 4096) == (512, 4096)
    assert fargate_size(300, 700) == (512, 1024)
    assert fargate_size(10**6, 10**6) == (16384, FARGATE_MEMORY[16384][-1])
    assert _map(evolve(PLAIN_SOURCE, cpu=256, memory=4096))["CPU and memory"].counterpart is Counterpart.GUESS


@pytest.mark.parametrize(
    ("start_command", "expected"),
    [
        ("", ()),
        ("python -m 'my app'", ("python", "-m", "my app")),
        ("migrate && serve", ("sh", "-c", "migrate && serve")),
        ("serve --port $PORT", ("sh", "-c", "serve --port $PORT")),
        ("it's", ("sh", "-c", "it's")),
    ],
)
def test_a_start_command_that_needs_a_shell_gets_one(start_command: str, expected: tuple[str, ...]) -> None:
    assert parse_command(start_command) == expected


def test_fifty_tags_are_the_most() -> None:
    tags = {f"key-{number}": "x" for number in range(50)} | {"aws:reserved": "x"}
    rows = _map(evolve(PLAIN_SOURCE, tags=tags))

    assert "left out" in rows["tags"].note


def _missing(rows: dict[str, MappedSetting]) -> list[str]:
    return [name for name, row in rows.items() if row.counterpart is Counterpart.MISSING]
