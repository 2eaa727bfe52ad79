"""Reads the logs of several environments as one: each line once, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from attrs import define, field

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.log_line import LogLine
from kaizen_tasks.domain.service import Service
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.ports.tools import Tools

LATENESS = timedelta(seconds=60)
"""How late a line may come into its log after lines that are younger. The log drivers of AWS send every few seconds."""

MAX_REMEMBERED = 50_000
"""Lines whose identifiers are remembered before those are dropped that cannot come again."""

FOLLOW_SECONDS = 2.0
"""Seconds between two looks at the logs; longer for many environments, as an account may ask five times a second."""

REQUESTS_PER_SECOND = 4.0
MAX_CONCURRENT = 8

EnvironmentLine = tuple[Environment, LogLine]


@define(kw_only=True)
class _EnvironmentLog:
    """The log of one environment, and what was read of it."""

    environment: Environment
    service: Service
    tools: Tools
    since: datetime
    _newest: datetime | None = None
    _read: dict[str, datetime] = field(factory=dict)

    def new_lines(self) -> Iterator[EnvironmentLine]:
        """Yield the lines that were not yielded before, oldest first."""
        logs = self.tools.at(self.environment).logs
        for line in logs.application_log(self.service, since=self._horizon):
            if line.id not in self._read:
                yield self.environment, line
                self._remember(line)  # not before the line was taken: a merge that fails drops what it has in hand
        self._forget()

    def _remember(self, line: LogLine) -> None:
        self._read[line.id] = line.at
        self._newest = max(self._newest or line.at, line.at)
        if len(self._read) > MAX_REMEMBERED:
            self._forget()

    @property
    def _horizon(self) -> datetime:
        """From when on there may be new lines."""
        return max(self.since, self._newest - LATENESS) if self._newest else self.since

    def _forget(self) -> None:
        horizon = self._horizon
        self._read = {name: at for name, at in self._read.items() if at >= horizon}


def read_logs(environments: Sequence[Environment], tools: Tools, *, since: datetime) -> Iterator[EnvironmentLine]:
    """Yield what the apps of environments have printed since a time; pages are read as they are needed.

    Raises:
        NotFound: an environment has no service.
    """
    yield from _merge(_open(environments, tools, since=since))


def follow_logs(environments: Sequence[Environment], tools: Tools, *, since: datetime) -> Iterator[EnvironmentLine]:
    """Yield as `read_logs` does, and then what is printed from then on, without an end.

    A platform that is out of reach is asked again later; no line is lost by that.

    Raises:
        NotFound: an environment has no service.
    """
    logs, is_reachable = _open(environments, tools, since=since), True
    while True:
        try:
            yield from _merge(logs)
            is_reachable = True
        except Unreachable as error:
            if is_reachable:
                tools.reporter.note(f"{error.message}; trying again")
            is_reachable = False
        tools.clock.sleep(max(FOLLOW_SECONDS, len(logs) / REQUESTS_PER_SECOND))


def _open(environments: Sequence[Environment], tools: Tools, *, since: datetime) -> tuple[_EnvironmentLog, ...]:
    def open_log(environment: Environment) -> _EnvironmentLog:
        service = tools.at(environment).platform.get_service(environment.service)
        return _EnvironmentLog(environment=environment, service=service, tools=tools, since=since)

    return tuple(map_parallel(open_log, environments, max_workers=MAX_CONCURRENT))


def _merge(logs: Sequence[_EnvironmentLog]) -> Iterator[EnvironmentLine]:
    return heapq.merge(*(log.new_lines() for log in logs), key=_time)


def _time(line: EnvironmentLine) -> datetime:
    return line[1].at
