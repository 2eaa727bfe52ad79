"""A platform whose services deploy as a test tells them to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field

from kaizen_tasks.domain.service import Operation, Service
from kaizen_tasks.errors import NotFound
from kaizen_tasks.ports.platform import Platform


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing(_: Service) -> None:
    """Do nothing."""


@define(kw_only=True)
class FakePlatform(Platform):
    """Services without anything running; safe to use from several threads.

    An operation ends when it has been looked at `polls` times, as an outcome of the test's choice.

    Attributes:
        polls: how many answers of `operations` say that it is still under way.
        outcomes: how deployments of a service end, by name: `ROLLBACK_SUCCEEDED`; else `SUCCEEDED`.
        deployed: called with the service when a deployment has succeeded.
        now: the time at which operations start.
        services: by name.
        history: operations by service name, newest first.
        started: names of the services that `start` started, in order.
        looked: when somebody asked for operations, in order.
        hidden: identifiers of operations that are missing from the answers.
        lasting: seconds after which an operation ends by itself; None counts `polls` instead.
    """

    polls: int = 0
    outcomes: dict[str, str] = field(factory=dict)
    deployed: Callable[[Service], None] = _nothing
    now: Callable[[], datetime] = _now
    services: dict[str, Service] = field(factory=dict)
    history: dict[str, list[Operation]] = field(factory=dict)
    started: list[str] = field(factory=list)
    looked: list[datetime] = field(factory=list)
    hidden: set[str] = field(factory=set)
    lasting: float | None = None
    _left: dict[str, int] = field(factory=dict)
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def add(self, name: str, *, image: str, url: str = "", auto_deploys: bool = False) -> Service:
        """Create a running service."""
        self.history[name] = []
        self.services[name] = Service(
            name=name,
            identity=f"arn:{name}",
            status="RUNNING",
            url=url or f"https://{name}.example",
            image=image,
            auto_deploys=auto_deploys,
        )
        return self.services[name]

    def service(self, name: str) -> Service:
        """Return a service as it is now."""
        with self._guard:
            if name not in self.services:
                raise NotFound(f"there is no service {name}", hint="create it")
            return self.services[name]

    def addresses(self) -> dict[str, str]:
        """Return where the services answer."""
        with self._guard:
            return {name: service.url for name, service in self.services.items()}

    def start(self, service: Service) -> str:
        """Start a deployment."""
        with self._guard:
            now = self.service(service.name)
            now.demand_deployable()
            if now.status == "OPERATION_IN_PROGRESS":
                return ""
            self.started.append(service.name)
            return self.begin(service.name)

    def operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the operations, newest first; looking brings one that is under way closer to its end."""
        with self._guard:
            self.looked.append(self.now())
            if service.name not in self.services:
                raise NotFound(f"there is no service {service.name}", hint="create it")
            self._advance(service.name)
            return tuple(each for each in self.history[service.name] if each.identity not in self.hidden)

    def begin(self, name: str, *, kind: str = "START_DEPLOYMENT") -> str:
        """Begin an operation as somebody else would: a console, or a tag that moved."""
        with self._guard:
            identity = f"{name}-{len(self.history[name]) + 1}"
            operation = Operation(identity=identity, kind=kind, state="IN_PROGRESS", started=self.now())
            self.history[name].insert(0, operation)
            self._left[name] = self.polls
            self.become(name, "OPERATION_IN_PROGRESS")
            return identity

    def become(self, name: str, status: str) -> None:
        """Put a service into a state."""
        self.services[name] = evolve(self.services[name], status=status, way_out="resume it")

    def _advance(self, name: str) -> None:
        operation = next(iter(self.history[name]), None)
        if operation is None or operation.ended:
            return
        if self.lasting is not None:
            ends = operation.started + timedelta(seconds=self.lasting)
            if self.now() >= ends:
                self._end(name, operation, ends)
            return
        if self._left[name] == 0:
            self._end(name, operation, self.now())
        self._left[name] -= 1

    def _end(self, name: str, operation: Operation, at: datetime) -> None:
        outcome = self.outcomes.get(name, "SUCCEEDED")
        self.history[name][0] = evolve(operation, state=outcome, finished=at)
        self.become(name, "RUNNING")
        if outcome == "SUCCEEDED" and operation.deploys:
            self.deployed(self.services[name])
