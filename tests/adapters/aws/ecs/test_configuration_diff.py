"""What a configuration has lost, by name."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.adapters.aws.ecs.configuration_diff import lost_members

BEFORE: dict[str, Any] = {
    "cpu": "256",
    "primaryContainer": {
        "image": "web:1",
        "environment": [{"name": "A", "value": "hush"}, {"name": "B", "value": "2"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:secret"}],
        "command": ["run", "fast"],
    },
    "networkConfiguration": {"subnets": ["subnet-1", "subnet-2"]},
    "tags": [{"key": "team", "value": "coach"}],
}


def changed(**members: Any) -> dict[str, Any]:
    return {**BEFORE, "primaryContainer": {**BEFORE["primaryContainer"], **members}}


def test_nothing_is_lost_of_an_equal_configuration() -> None:
    assert lost_members(BEFORE, BEFORE) == ()


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        ({**BEFORE, "cpu": "512"}, "cpu"),
        ({**BEFORE, "cpu": None}, "cpu"),
        ({name: value for name, value in BEFORE.items() if name != "cpu"}, "cpu"),
        (changed(environment=[{"name": "A", "value": "hush"}]), "primaryContainer.environment.B"),
        (
            changed(environment=[{"name": "A", "value": "x"}, {"name": "B", "value": "2"}]),
            "primaryContainer.environment.A",
        ),
        (changed(secrets=[]), "primaryContainer.secrets.KEY"),
        (changed(command=["run"]), "primaryContainer.command"),
        ({**BEFORE, "tags": []}, "tags.team"),
    ],
)
def test_names_what_was_lost_or_changed(after: dict[str, Any], lost: str) -> None:
    assert lost_members(BEFORE, after) == (lost,)


def test_all_variables_of_a_lost_container_are_named() -> None:
    lost = lost_members(BEFORE, changed(environment=None))

    assert lost == ("primaryContainer.environment.A", "primaryContainer.environment.B")


def test_no_value_is_shown() -> None:
    assert "hush" not in str(lost_members(BEFORE, {}))


def test_additions_and_another_order_are_no_loss() -> None:
    after = {
        **changed(environment=[*reversed(BEFORE["primaryContainer"]["environment"]), {"name": "C", "value": "3"}]),
        "networkConfiguration": {"subnets": ["subnet-2", "subnet-1"]},
        "cpuArchitecture": "X86_64",
    }

    assert lost_members(BEFORE, after) == ()


def test_what_may_differ_is_ignored() -> None:
    assert lost_members(BEFORE, changed(image="web:2"), ignored=["primaryContainer.image"]) == ()


def test_an_empty_member_that_is_left_out_is_no_loss() -> None:
    assert lost_members({"volumes": [], "taskRoleArn": ""}, {}) == ()
