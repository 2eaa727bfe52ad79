"""Waiting for services to appear and disappear, and what a failed deployment has left in its logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.text import duration, log_excerpt
from kaizen_tasks.errors import DeployFailed, KaizenError, NotFound, VerifyFailed

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import StepLabel
    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.ports.tools import Tools

POLL_INTERVAL_SECONDS = 1.0
MAX_POLL_INTERVAL_SECONDS = 10.0


def find_service(environment: Environment, tools: Tools) -> Service | None:
    """Return the service of an environment, or None."""
    with suppress(NotFound):
        return tools.at(environment).platform.get_service(environment.service)
    return None


def wait_while_busy(environment: Environment, tools: Tools) -> Service | None:
    """Return the service of an environment once no operation is in progress, or as it is at the deadline, or None."""
    service = None
    for _ in polls(tools):
        service = find_service(environment, tools)
        if service is None or service.status is not ServiceStatus.BUSY:
            break
    return service


def latest_deployment(service: Service, environment: Environment, tools: Tools) -> Operation | None:
    """Return the newest deployment of a service; None if the platform lists none."""
    with suppress(NotFound):
        operations = tools.at(environment).platform.list_operations(service)
        return next((operation for operation in operations if operation.deploys), None)
    return None


def wait_for_service(
    environment: Environment, is_ready: Callable[[Service | None], bool], what: str, tools: Tools, *, command_line: str
) -> None:
    """Wait until a service of an environment is as it should be.

    Args:
        environment: whose service.
        is_ready: tells from the service, or from None without one.
        what: what is waited for: `paused`.
        tools: the ports.
        command_line: what to type to wait on.

    Raises:
        DeployFailed: it is not so at the deadline.
    """
    for _ in polls(tools):
        if is_ready(find_service(environment, tools)):
            return
    timeout = duration.format_duration(tools.settings.deploy.timeout)
    raise DeployFailed(
        f"{environment.service} was not {what} within {timeout}",
        state=f"{environment.kind.title} may still be at it",
        hint=f"wait on: {command_line}",
    )


def polls(tools: Tools) -> Iterator[None]:
    """Yield at once, and then after longer and longer waits, until the deadline of deployments."""
    deadline, interval = tools.clock.monotonic() + tools.settings.deploy.timeout, POLL_INTERVAL_SECONDS
    while tools.clock.monotonic() < deadline:
        yield
        tools.clock.sleep(interval)
        interval = min(interval * 1.5, MAX_POLL_INTERVAL_SECONDS)


def show_logs(
    environment: Environment, service: Service, deployment: Operation | None, label: StepLabel, tools: Tools
) -> str:
    """Show the last lines of the logs of a failed deployment; return the app's last words, if any."""
    if deployment is None:
        return ""
    logs, limit = tools.at(environment).logs, log_excerpt.MAX_LINES
    _show_log("deployment", partial(logs.deployment_tail, service, deployment.id, limit=limit), label, tools)
    tail = partial(logs.application_tail, service, since=deployment.started_at, limit=limit)
    return log_excerpt.last_words(_show_log("application", tail, label, tools))


def _show_log(name: str, read: Callable[[], tuple[str, ...]], label: StepLabel, tools: Tools) -> tuple[str, ...]:
    try:
        lines = log_excerpt.sanitize_tail(read())
    except KaizenError as error:
        tools.reporter.note(f"  {label.environment}: the {name} log cannot be read: {error.message}")
        return ()
    if lines:
        tools.reporter.note(f"  {label.environment}: last lines of the {name} log:")
    for line in lines:
        tools.reporter.note(f"    {label.environment} | {line}")
    return lines


@contextmanager
def old_service_serves(title: str, release_name: str, command_line: str) -> Iterator[None]:
    """Say in the error of a failed proof that the old service serves as before, and how to go on.

    Args:
        title: the title of the old platform.
        release_name: the release that it serves.
        command_line: what to type to go on.
    """
    try:
        yield
    except VerifyFailed as error:
        error.state = f"{title} serves {release_name} as before; nothing points to the new service"
        error.hint = f"look at the new service; then: {command_line}"
        raise
