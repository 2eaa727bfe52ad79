"""The states of CloudWatch's alarms, which roll deployments back."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from kaizen_tasks.localcloud.moto.backend import MotoBackend

_SERVICE = "monitoring"  # CloudWatch's signing name
_TARGET = "GraniteServiceVersion20100801.DescribeAlarms"
_MAX_AGE_SECONDS = 0.5


class AlarmStates:
    """Reads the states of alarms, at most twice a second.

    Args:
        moto: the backend with CloudWatch.
        region: the region of the alarms.
    """

    def __init__(self, moto: MotoBackend, region: str) -> None:
        self._moto = moto
        self._region = region
        self._read_at = float("-inf")
        self._in_alarm: frozenset[str] = frozenset()

    def triggered(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of the named alarms that are in the state ALARM."""
        if time.monotonic() - self._read_at > _MAX_AGE_SECONDS:
            self._in_alarm = self._read()
            self._read_at = time.monotonic()
        return tuple(name for name in names if name in self._in_alarm)

    def _read(self) -> frozenset[str]:
        response = self._moto.query(_SERVICE, self._region, _TARGET, {"StateValue": "ALARM"})
        if response.status != HTTPStatus.OK or not isinstance(response.body, bytes):
            return frozenset()
        alarms = json.loads(response.body).get("MetricAlarms", [])
        return frozenset(alarm["AlarmName"] for alarm in alarms)
