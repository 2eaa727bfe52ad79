"""`[[before_deploy]]`: in which environments a command runs, and which configurations are refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kaizen_tasks.domain.command import TaskSettings
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.errors import ConfigurationError
from tests.fakes.tools import settings

MIGRATE: Mapping[str, object] = {"name": "migrate", "command": ["python", "manage.py", "migrate"]}
ECS = {"platform": "ecs-express"}


def names(*rules: Mapping[str, object], **changes: object) -> dict[str, list[str]]:
    """Return the names of the commands of each environment."""
    configured = settings(**{"defaults": ECS, "before_deploy": list(rules), **changes})
    return {name: [each.name for each in item.before_deploy] for name, item in configured.environments.items()}


def problem(*rules: Mapping[str, object], **changes: object) -> str:
    """Return why a configuration is refused."""
    with pytest.raises(ConfigurationError) as refused:
        settings(**{"before_deploy": list(rules), **changes})
    return str(refused.value)


def test_command_without_environments_runs_in_all() -> None:
    assert names(MIGRATE) == {name: ["migrate"] for name in ("staging", "prod", "mark", "shane", "dom")}


def test_command_runs_in_the_environments_and_groups_that_it_names_in_the_order_of_the_file() -> None:
    warm_cache = {"name": "warm-cache", "command": ["warm"], "environments": ["prod", "mark"]}

    found = names({**MIGRATE, "environments": ["beta"]}, warm_cache)

    assert found == {
        "staging": [],
        "prod": ["warm-cache"],
        "mark": ["migrate", "warm-cache"],
        "shane": ["migrate"],
        "dom": ["migrate"],
    }


def test_command_has_a_quarter_of_an_hour_and_is_reversible_unless_it_says_otherwise() -> None:
    default, own = (
        settings(defaults=ECS, before_deploy=[{**MIGRATE, **keys}]).environments["prod"].before_deploy[0]
        for keys in ({}, {"timeout": "2h", "reversible": False})
    )

    assert (default.timeout, default.reversible) == (Seconds(900), True)
    assert (own.timeout, own.reversible) == (Seconds(7200), False)


def test_app_runner_is_refused_with_the_reason() -> None:
    assert problem({**MIGRATE, "environments": ["prod"]}) == (
        "kaizen.toml: before_deploy[1 of 1].environments: prod: App Runner runs no commands; leave it out of "
        "environments, or name an ECS task definition in environments.prod.task"
    )


def test_app_runner_runs_commands_in_a_task_definition() -> None:
    task = {"task": "{env}-commands", "subnets": ["subnet-1"], "public_ip": True}

    configured = settings(defaults=task, before_deploy=[MIGRATE]).environments["prod"]

    assert configured.task == TaskSettings(family="prod-commands", subnets=("subnet-1",), public_ip=True)
    assert configured.runs_commands


def test_task_of_the_defaults_is_for_app_runner_alone() -> None:
    environments = {"staging": {"platform": "ecs-express"}, "prod": {}, "mark": {}, "shane": {}, "dom": {}}

    configured = settings(
        defaults={"task": "commands", "subnets": ["subnet-1"]}, environments=environments
    ).environments

    assert (configured["staging"].task, configured["prod"].task) == (
        None,
        TaskSettings(family="commands", subnets=("subnet-1",)),
    )


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"command": []}, "before_deploy[1 of 1].command is empty: it is the program and its arguments"),
        ({"name": "mi grate"}, "before_deploy[1 of 1].name: 'mi grate' is not a name"),
        (
            {"environments": ["prdo"]},
            "before_deploy[1 of 1].environments: 'prdo' is neither an environment nor a group",
        ),
        ({"timeout": "0s"}, "before_deploy[1 of 1].timeout"),
        ({"command": "migrate"}, "before_deploy[1 of 1].command should be a list, not text"),
    ],
)
def test_wrong_command_is_refused(rule: Mapping[str, object], reason: str) -> None:
    assert reason in problem({**MIGRATE, **rule}, defaults=ECS)


def test_missing_subnets_of_all_environments_are_one_problem() -> None:
    assert problem(defaults={"task": "{env}-commands"}) == (
        "kaizen.toml: defaults.subnets is missing: the subnets in which the tasks run that task names"
    )


def test_name_that_is_taken_is_refused() -> None:
    assert "before_deploy[2 of 2].name: 'migrate' is also the name of another command" in problem(
        MIGRATE, MIGRATE, defaults=ECS
    )


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({**ECS, "task": "x"}, "environments.prod.task is not for ECS Express Mode, whose commands run with"),
        ({"subnets": ["subnet-1"]}, "environments.prod.subnets is for the tasks of App Runner environments, and needs"),
        ({"task": "x", "subnets": ["net"]}, "'net' is not the identifier of a subnet"),
        ({"task": "x"}, "environments.prod.subnets is missing: the subnets in which the tasks run that task names"),
    ],
)
def test_task_keys_that_mean_nothing_are_refused(keys: Mapping[str, object], reason: str) -> None:
    environments = {"staging": {}, "prod": keys, "mark": {}, "shane": {}, "dom": {}}

    assert reason in problem(environments=environments)
