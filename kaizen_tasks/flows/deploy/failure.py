"""Handles a deployment that did not come into service: shows its logs, moves the tag back, records the failure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.text import log_excerpt
from kaizen_tasks.errors import DeployFailed, KaizenError, Superseded
from kaizen_tasks.flows.deploy.image import move_followed_tag
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.ledger.verifications import fix_hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.flows.deploy.deployment import Deployment
    from kaizen_tasks.flows.deploy.wait import DeploymentOutcome


def handle_failed_deployment(
    deployment: Deployment, outcome: DeploymentOutcome, *, state: str = "", hint: str = ""
) -> DeployFailed | Superseded:
    """Show the logs, move the followed tag back to the serving image, record the outcome; return the error to raise.

    Args:
        deployment: what was attempted.
        outcome: how the deployment ended.
        state: the state for the error; empty describes the outcome and the tag.
        hint: what to type next if the outcome has no hint.

    Returns:
        `Superseded` if somebody's later deployment has taken the place of this one, which has not failed then.
    """
    reason, last_words = _show_logs(deployment, outcome)
    message = f"{outcome.message}: {reason}" if reason else outcome.message
    tag_state = _restore_followed_tag(deployment)
    environment, release, tools = deployment.environment, deployment.release, deployment.tools
    entries.append(outcome.event, environment, release, tools, operation=outcome.operation, reason=message)
    if outcome.is_superseded:
        return _superseded_error(deployment, outcome)
    hint = outcome.hint or hint or f"run the same command to retry; {fix_hint(release.commit, tools)}"
    if last_words and not outcome.hint:  # not in the ledger, where what an app prints does not belong
        message = f"{message}; the app's log ends with: {last_words}"
    return DeployFailed(message, state=state or "; ".join(filter(None, (outcome.state, tag_state))), hint=hint)


def _superseded_error(deployment: Deployment, outcome: DeploymentOutcome) -> Superseded:
    name, release = deployment.environment.name, deployment.release.name
    return Superseded(
        f"{name}: {outcome.message}",
        environment=name,
        state=f"{release} is not recorded as verified; {outcome.state}",
        hint=f"see what runs (inv status); to deploy again: inv deploy --env {name} --release {release}",
    )


def _restore_followed_tag(deployment: Deployment) -> str:
    """Move the followed tag to the serving image if the ledger knows it; return a text that says where it points."""
    environment, release, tools = deployment.environment, deployment.release, deployment.tools
    if not environment.follows_tag:
        return ""
    tag = environment.follow
    try:
        serving_digest = entries.read_serving_digest(environment, tools)
        if serving_digest is None or serving_digest == release.digest:
            return f":{tag} points to {release.name}"
        move_followed_tag(environment, serving_digest, tools)
    except KaizenError as error:
        return f":{tag} still points to {release.name}: {error.message}"
    return f":{tag} points to what was serving again"


def _show_logs(deployment: Deployment, outcome: DeploymentOutcome) -> tuple[str, str]:
    """Show the logs of platform and app; return the reason in the one, and the last words of the other, if any."""
    if outcome.started_at is None:
        return "", ""
    target, limit = deployment.tools.at(deployment.environment), log_excerpt.MAX_LINES
    try:
        service = target.platform.get_service(deployment.environment.service)
    except KaizenError:
        return "", ""  # the service is gone, which the error says
    deployment_tail = partial(target.logs.deployment_tail, service, outcome.operation, limit=limit)
    lines = _show_log("deployment", deployment_tail, deployment)
    application_tail = partial(target.logs.application_tail, service, since=outcome.started_at, limit=limit)
    app_lines = _show_log("application", application_tail, deployment)
    return log_excerpt.failure_reason(lines), log_excerpt.last_words(app_lines)


def _show_log(name: str, read_lines: Callable[[], tuple[str, ...]], deployment: Deployment) -> tuple[str, ...]:
    """Show and return the last lines of a log; return none if reading fails, which must not hide the failure."""
    note, environment = deployment.tools.reporter.note, deployment.environment.name
    try:
        lines = log_excerpt.sanitize_tail(read_lines())
    except KaizenError as error:
        note(f"  {environment}: the {name} log cannot be read: {error.message}")
        return ()
    note(f"  {environment}: last lines of the {name} log:" if lines else f"  {environment}: the {name} log is empty")
    for line in lines:
        note(f"    {environment} | {line}")
    return lines
