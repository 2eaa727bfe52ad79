"""How a deployment moves traffic to the new revision, by its strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject

SCALED_MINUTES = 3.0
"""Minutes of a canary or of a bake that take as long as `--deploy-seconds`: those of Express Mode's defaults."""

# Defaults of https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html and the page of
# LinearConfiguration.
_CANARY_DEFAULTS = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
_LINEAR_DEFAULTS = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}


@attrs.frozen
class TrafficStep:
    """A share of the traffic in percent, and the minutes for which it stays so."""

    percent: float
    minutes: float


def traffic_steps(configuration: JsonObject) -> tuple[TrafficStep, ...]:
    """Return the steps of a `deploymentConfiguration`; the last one is 100 percent and the bake."""
    bake = float(configuration.get("bakeTimeInMinutes", 0))
    last_step = TrafficStep(100.0, bake)
    match configuration.get("strategy", "ROLLING"):
        case "CANARY":
            canary = {**_CANARY_DEFAULTS, **configuration.get("canaryConfiguration", {})}
            return (TrafficStep(canary["canaryPercent"], float(canary["canaryBakeTimeInMinutes"])), last_step)
        case "LINEAR":
            linear = {**_LINEAR_DEFAULTS, **configuration.get("linearConfiguration", {})}
            size, minutes = float(linear["stepPercent"]), float(linear["stepBakeTimeInMinutes"])
            count = int(-(-100.0 // size)) - 1
            return (*(TrafficStep(size * number, minutes) for number in range(1, count + 1)), last_step)
        case _:
            return (last_step,)


def has_stages(configuration: JsonObject) -> bool:
    """Return whether deployments of a strategy report lifecycle stages; a rolling one has none."""
    return bool(configuration.get("strategy", "ROLLING") != "ROLLING")
