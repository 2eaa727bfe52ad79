"""When the circuit breaker of a deployment trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject


def failure_threshold(configuration: JsonObject, desired_count: int) -> int:
    """Return how many failed tasks trip the circuit breaker: half of the desired ones by default, from 3 to 200.

    See https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html.
    """
    threshold = configuration.get("deploymentCircuitBreaker", {}).get("thresholdConfiguration")
    if threshold is None:
        return min(max(3, -(-desired_count // 2)), 200)
    if threshold["type"] == "COUNT":
        return int(threshold["value"])
    tasks = -(-desired_count * int(threshold["value"]) // 100)
    return min(max(3, tasks), 200) if threshold["type"] == "BOUNDED_PERCENT" else max(1, tasks)
