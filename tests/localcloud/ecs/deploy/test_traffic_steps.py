from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.deploy.traffic_steps import TrafficStep, has_stages, traffic_steps


@pytest.mark.parametrize(
    ("configuration", "steps"),
    [
        ({}, [(100, 0)]),
        ({"strategy": "ROLLING", "bakeTimeInMinutes": 5}, [(100, 5)]),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}, [(100, 5)]),
        ({"strategy": "CANARY", "bakeTimeInMinutes": 3}, [(5, 10), (100, 3)]),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 20.0}}, [(20, 10), (100, 0)]),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 2}},
            [(40, 2), (80, 2), (100, 0)],
        ),
    ],
)
def test_steps_of_strategies(configuration: dict[str, Any], steps: list[tuple[float, float]]) -> None:
    assert traffic_steps(configuration) == tuple(TrafficStep(*step) for step in steps)


def test_rolling_deployments_have_no_stages() -> None:
    assert [has_stages({"strategy": name}) for name in ("ROLLING", "CANARY")] == [False, True]
    assert not has_stages({})
