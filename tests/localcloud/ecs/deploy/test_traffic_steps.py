from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.deploy.traffic_steps import TrafficStep, failure_threshold, has_stages, traffic_steps


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


@pytest.mark.parametrize(
    ("tasks", "threshold", "expected"),
    [
        (1, None, 3),
        (10, None, 5),
        (1000, None, 200),
        (1, {"type": "COUNT", "value": 1}, 1),
        (100, {"type": "BOUNDED_PERCENT", "value": 20}, 20),
        (1, {"type": "BOUNDED_PERCENT", "value": 20}, 3),
        (4, {"type": "UNBOUNDED_PERCENT", "value": 25}, 1),
    ],
)
def test_circuit_breaker_has_a_threshold(tasks: int, threshold: dict[str, Any] | None, expected: int) -> None:
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": threshold}

    assert failure_threshold({"deploymentCircuitBreaker": breaker}, tasks) == expected
