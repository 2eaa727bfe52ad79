"""What this local cloud assumes of deployments, because neither AWS's documentation nor its model says it.

Who knows better from an account changes it here.
"""

from __future__ import annotations

SUPERSEDED = "Service deployment was stopped because a newer service deployment was started."
"""An update during a deployment ends that one as STOPPED with this reason, and replaces what both have started."""

CIRCUIT_BREAKER = "Service deployment rolled back because the circuit breaker threshold was exceeded."
CIRCUIT_BREAKER_STOPPED = "Service deployment was stopped because the circuit breaker threshold was exceeded."
ALARMS = "Service deployment rolled back because of alarms: {names}."
ALARMS_STOPPED = "Service deployment was stopped because of alarms: {names}."
STOPPED_BY_REQUEST = "Service deployment was stopped by a request."
ROLLBACK_BY_REQUEST = "Service deployment rolled back because of a request."
"""The words of AWS's `statusReason` and `rollback.reason` are not documented; these say the same."""

NOTHING_TO_ROLL_BACK_TO = "There is no previous service revision to roll back to."
"""The first deployment of a service that fails ends as ROLLBACK_FAILED, and its tasks are stopped."""

EXPRESS_CIRCUIT_BREAKER = {"enable": True, "rollback": True}
"""Express Mode is documented to roll back by alarms; tasks that crash or stay unhealthy do so by a circuit breaker."""

ALARM_RESPONSES = 2
"""Express Mode's alarm wants two datapoints above 1 % in three minutes; scaled down, that many errors above 1 %."""

ALARM_PERCENT = 1.0
