"""What is done when a deployment did not come into service: say why, put the tag back, write it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import log_excerpt
from kaizen_tasks.errors import DeployFailed, KaizenError
from kaizen_tasks.flows.deploy.deployment import LATEST
from kaizen_tasks.flows.ledger import entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.flows.deploy.deployment import Deployment
    from kaizen_tasks.flows.deploy.wait import Outcome


def setback(deployment: Deployment, outcome: Outcome, *, state: str = "", hint: str = "") -> DeployFailed:
    """Show the logs, point `:latest` back at what is running, record the outcome; return the error to raise.

    Args:
        deployment: what was attempted.
        outcome: how it ended.
        state: what state things are in, where that is not about the tag.
        hint: what to type next, where the platform gives no other.
    """
    why = _told(deployment, outcome)
    what = f"{outcome.what}: {why}" if why else outcome.what
    tag = _put_back(deployment)
    tools, first = deployment.tools, deployment.tools.settings.first_stage.name
    entries.append(
        outcome.event, deployment.environment, deployment.release, tools, operation=outcome.operation, reason=what
    )
    again = f"the same command tries again; a mended app needs a version: inv release-{first} --part patch"
    return DeployFailed(what, state=state or f"{outcome.state}; {tag}", hint=outcome.hint or hint or again)


def _put_back(deployment: Deployment) -> str:
    """Point `:latest` at what is running, as far as the ledger knows; say where it points now."""
    environment, release, tools = deployment.environment, deployment.release, deployment.tools
    try:
        running = entries.running(environment, tools)
        if running is None or running == release.digest:
            return f":latest points at {release.name}"
        tools.registry.point(repository=environment.repository, tag=LATEST, digest=running)
    except KaizenError as error:
        return f":latest still points at {release.name}: {error.what}"
    return ":latest points at what was serving again"


def _told(deployment: Deployment, outcome: Outcome) -> str:
    """Show what platform and app have logged; return the reason that the platform gives, or nothing."""
    if outcome.began is None:
        return ""
    tools, began, most = deployment.tools, outcome.began, log_excerpt.MOST
    try:
        service = tools.platform.service(deployment.environment.service)
    except KaizenError:
        return ""  # it is gone, which is what the error says
    logs = {
        "deployment": lambda: tools.logs.deployment(service, outcome.operation, most=most),
        "application": lambda: tools.logs.application(service, since=began, most=most),
    }
    shown = {name: _shown(name, read, deployment) for name, read in logs.items()}
    return log_excerpt.reason(shown["deployment"])


def _shown(name: str, read: Callable[[], tuple[str, ...]], deployment: Deployment) -> tuple[str, ...]:
    """Show the last lines of a log and return them; a log that cannot be read must not hide the failure."""
    note, where = deployment.tools.reporter.note, deployment.environment.name
    try:
        lines = log_excerpt.legible(read())
    except KaizenError as error:
        note(f"  {where}: the {name} log cannot be read: {error.what}")
        return ()
    note(f"  {where}: the {name} log ends with:" if lines else f"  {where}: the {name} log is empty")
    for line in lines:
        note(f"    {where} | {line}")
    return lines
