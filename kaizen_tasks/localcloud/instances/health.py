"""Health checks of instances, as platforms make them before they route traffic."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import math
import socket
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.spec import Instance

Address = tuple[str, int]

_POLL_SECONDS = 0.05
_WATCH_SECONDS = 0.25
_CLOSE_LOOKS = 40  # an instance that has run for ten seconds is watched less closely
_SETTLED_WATCH_SECONDS = 5.0
_STOPPED = "Your application stopped or failed to start. See logs for more information."
_UNHEALTHY = "Health check failed. Your application is being replaced. See logs for more information."
_HOLD_OPEN_SECONDS = 1.0  # a proxy closes a connection that it cannot forward much sooner


class Answer(Enum):
    """What an instance answered to a check."""

    OK = "ok"
    ERROR = "error"
    NONE = "none"


@attrs.frozen(kw_only=True)
class HealthCheck:
    """How instances are checked; times in seconds.

    Args:
        protocol: `HTTP`, `TCP`, or `NONE` for an application that listens nowhere, which has to keep running.
        path: what is asked for by HTTP.
        interval: between two checks.
        timeout: of one check.
        healthy_threshold: successes in a row after which an instance is healthy.
        unhealthy_threshold: failures in a row after which it is unhealthy.
        port: the port of the service, for messages.
        grace: how long at least a new instance may take until it listens.
        error_timeout: how long a new instance may answer with errors.
    """

    protocol: str
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    port: int = 0
    grace: float = 0.0
    error_timeout: float = math.inf

    @property
    def startup_timeout(self) -> float:
        """Return how long an instance may take to become healthy."""
        return max(self.interval * self.unhealthy_threshold, self.grace)


def wait_until_healthy(instance: Instance, check: HealthCheck, stop_event: Event, clock: MonotonicClock) -> None:
    """Wait until the check has succeeded as many times in a row as it requires.

    The configured interval is an upper bound: the instances of a local cloud are checked more often.

    Raises:
        DeployFailed: the application exited, or did not become healthy in time.
        Interrupted: the event was set.
    """
    deadline, errors_since = clock.now() + check.startup_timeout, math.inf
    successes = 0
    while successes < check.healthy_threshold:
        code, now = instance.exit_code(), clock.now()
        if code is not None:
            raise DeployFailed("Health check failed.", state=f"Container exit code: {code}")
        if now > deadline:
            message = f"Health check failed: no answer to {check.protocol} on port {check.port}."
            raise DeployFailed(message, state=f"Not healthy within {check.startup_timeout:g} seconds")
        answer = _check(instance, check)
        errors_since = min(errors_since, now) if answer is Answer.ERROR else math.inf
        if now - errors_since > check.error_timeout:
            raise DeployFailed(f"Health check failed: {check.path} on port {check.port} answers with an error.")
        successes = successes + 1 if answer is Answer.OK else 0
        if stop_event.wait(min(_POLL_SECONDS, check.interval)):
            raise Interrupted("the local cloud is stopping")


def wait_until_unhealthy(
    instance: Instance, check: HealthCheck, *, is_current: Callable[[], bool], stop_event: Event, clock: MonotonicClock
) -> str:
    """Wait until an instance has stopped or failed as many checks in a row as make it unhealthy; return the reason.

    Return an empty string once `is_current` is false or the event is set.
    """
    failures, next_check, pauses = 0, clock.now() + check.interval, _pauses(check)
    while not stop_event.wait(next(pauses)) and is_current():
        code = instance.exit_code()
        if code is not None:
            return f"{_STOPPED} Container exit code: {code}"
        if clock.now() < next_check:
            continue
        failures = 0 if _check(instance, check) is Answer.OK else failures + 1
        if failures >= check.unhealthy_threshold:
            return f"{_UNHEALTHY} Protocol: {check.protocol}"
        next_check = clock.now() + check.interval
    return ""


def _pauses(check: HealthCheck) -> Iterator[float]:
    """Yield the seconds between looks at an instance: short ones at first, later those between its checks, if shorter.

    A thousand threads may wait here. They are real seconds, however fast the clock is.
    """
    yield from itertools.repeat(_WATCH_SECONDS, _CLOSE_LOOKS)
    yield from itertools.repeat(max(_WATCH_SECONDS, min(_SETTLED_WATCH_SECONDS, check.interval)))


def accepts_connections(address: Address, timeout: float) -> bool:
    """Return whether a program listens on an address."""
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=timeout):
        return True
    return False


def holds_connections_open(address: Address, timeout: float) -> bool:
    """Return whether a connection stays open for a second, or for the timeout if that is shorter.

    For an address of a proxy, which accepts all connections and closes those that it cannot forward.
    """
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=timeout) as connection:
        connection.settimeout(min(timeout, _HOLD_OPEN_SECONDS))
        try:
            return connection.recv(1) != b""
        except TimeoutError:
            return True
    return False


def _check(instance: Instance, check: HealthCheck) -> Answer:
    if check.protocol == "NONE":
        return Answer.OK
    if not instance.accepts_connections(check.timeout):
        return Answer.NONE
    return _ask(instance.port, check) if check.protocol == "HTTP" else Answer.OK


def _ask(port: int, check: HealthCheck) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=check.timeout)
    try:
        connection.request("GET", check.path)
        return Answer.OK if connection.getresponse().status == HTTPStatus.OK else Answer.ERROR
    except (OSError, http.client.HTTPException):
        return Answer.NONE
    finally:
        connection.close()
