from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.circuit_breaker import failure_threshold


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
