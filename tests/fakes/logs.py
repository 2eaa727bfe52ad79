"""Logs that are kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.log_line import LogLine
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.platform import Logs

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Service


@define(kw_only=True)
class FakeLogs(Logs):
    """Keeps lines.

    Attributes:
        deployments: lines by operation.
        instances: when each instance of a service was started, and its lines, oldest first, by the service's name.
        failure: raised by every question.
        lines: the whole log of the app, in the order in which it can be read, by the service's name.
    """

    deployments: dict[str, tuple[str, ...]] = field(factory=dict)
    instances: dict[str, list[tuple[datetime, tuple[str, ...]]]] = field(factory=dict)
    failure: KaizenError | None = None
    lines: dict[str, list[LogLine]] = field(factory=dict)

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        if self.failure:
            raise self.failure
        return self.deployments.get(operation, ())[-limit:]

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        if self.failure:
            raise self.failure
        lines = [printed for started, printed in self.instances.get(service.name, []) if started >= since]
        return lines[-1][-limit:] if lines else ()

    def application_log(self, service: Service, *, since: datetime) -> Iterator[LogLine]:
        if self.failure:
            raise self.failure
        instances = self.instances.get(service.name, [])
        printed = [
            LogLine(at=started, stream=f"instance/{index}", text=text, id=f"{index}-{number}")
            for index, (started, texts) in enumerate(instances)
            for number, text in enumerate(texts)
        ]
        lines = [line for line in (*printed, *self.lines.get(service.name, ())) if line.at >= since]
        yield from sorted(lines, key=lambda line: line.at)
