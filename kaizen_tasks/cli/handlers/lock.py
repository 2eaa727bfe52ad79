"""`lock.*` and `hold.*`: who changes an environment now, and what is to be left as it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV_HELP, JSON_HELP, command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from invoke.collection import Collection
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.flows.locking.session import EnvironmentLockStatus
    from kaizen_tasks.wiring import Toolbox

UNCHANGED_THERE = "nothing has been changed there"


def lock_collection() -> Collection:
    """Return the tasks about locks as a collection."""
    from invoke.collection import Collection

    return Collection(show, release)


def hold_collection() -> Collection:
    """Return the tasks about holds as a collection."""
    from invoke.collection import Collection

    return Collection(add, remove)


@command(iterable=["env"], help={"env": f"{ENV_HELP}; without it, all of them", "json": JSON_HELP})
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show who locks or holds what, since when and why."""
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = prompts.resolve_stage(env or list(tools.settings.environments), tools.settings)
    statuses = session.lock_status([environment.name for environment in stage.environments], tools)
    now = tools.clock.now()
    if json:
        rows = {
            status.environment: json_output.lock_and_hold_document(status.lock, status.hold, now) for status in statuses
        }
        json_output.print_json({"app": tools.settings.app, "environments": rows})
        return
    for status in statuses:
        tools.reporter.note(f"{status.environment:<16}  {_describe(status, now, tools)}")


def _describe(status: EnvironmentLockStatus, now: datetime, tools: Toolbox) -> str:
    parts, lock = [str(status.lock)] if status.lock else [], status.lock
    if lock and (lock.is_expired(now) or tools.host.is_dead(lock.process, env_marker=lock.token)):
        parts.append("that run has died, and the next one takes over")
    if status.hold:
        parts.append(str(status.hold))
    return "; ".join(parts) or "free"


@command(iterable=["env"], help={"env": ENV_HELP, "force": "remove it although its owner has not given it back"})
def release(c: Context, env: list[str], force: bool = False) -> None:
    """Remove a lock that was left over; a run that does live notices it, and stops."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    prompts.print_header("release the lock", stage.environments, tools)
    for environment in stage.environments:
        _release_lock(environment.name, tools, force=force)


def _release_lock(environment: str, tools: Toolbox, *, force: bool) -> None:
    from kaizen_tasks.errors import Refused

    current_lock = tools.locks.get(environment)
    if current_lock is None:
        tools.reporter.note(f"already done: {environment} is not locked")
        return
    if not force:
        raise Refused(
            f"{environment} is {current_lock}", state=UNCHANGED_THERE, hint="if nobody is at work there: add --force"
        )
    if not tools.dry and not tools.locks.release(current_lock):
        raise Refused(
            f"{environment}: its lock has changed hands just now", state=UNCHANGED_THERE, hint="inv lock.show"
        )
    tools.reporter.note(f"{'would remove' if tools.dry else 'removed'} the lock: {environment} was {current_lock}")


@command(
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "reason": "why it is to be left alone",
        "until": "for how long: 7d, 12h; without it, for good",
    },
)
def add(c: Context, env: list[str], reason: str = "", until: str = "") -> None:
    """Leave an environment as it is until the hold ends or is removed."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.domain import hold as holds
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.wiring import toolbox

    reason_text = " ".join(reason.split())
    if not reason_text:
        raise UsageError("hold.add: a hold needs a reason", hint='--reason "on a hotfix until Monday"')
    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    now = tools.clock.now()
    end = holds.parse_hold_until(until, now)
    prompts.print_header("hold", stage.environments, tools)
    _refuse_conflicting_holds(stage.environments, reason_text, tools)
    for environment in stage.environments:
        requested_hold = holds.Hold(
            environment=environment.name, reason=reason_text, actor=tools.actor, since=now, until=end
        )
        _add_hold(requested_hold, tools)


def _refuse_conflicting_holds(environments: Sequence[Environment], reason: str, tools: Toolbox) -> None:
    from kaizen_tasks.errors import Refused

    current_holds = [tools.holds.get(environment.name) for environment in environments]
    conflicting_holds = [hold for hold in current_holds if hold is not None and hold.reason != reason]
    if conflicting_holds:
        names = " ".join(f"--env {hold.environment}" for hold in conflicting_holds)
        message = "; ".join(f"{hold.environment} is already {hold}" for hold in conflicting_holds)
        raise Refused(message, state=UNCHANGED_THERE, hint=f"to replace it: inv hold.remove {names}")


def _add_hold(requested_hold: Hold, tools: Toolbox) -> None:
    from kaizen_tasks.errors import Refused

    current_hold = (
        (tools.holds.get(requested_hold.environment) or requested_hold)
        if tools.dry
        else tools.holds.add(requested_hold)
    )
    if current_hold.reason != requested_hold.reason:
        raise Refused(
            f"{requested_hold.environment} is already {current_hold}", state=UNCHANGED_THERE, hint="inv lock.show"
        )
    if current_hold != requested_hold:
        tools.reporter.note(f"already done: {requested_hold.environment} is {current_hold}")
        return
    tools.reporter.note(f"{'would add: ' if tools.dry else ''}{requested_hold.environment} is {requested_hold}")


@command(iterable=["env"], help={"env": ENV_HELP})
def remove(c: Context, env: list[str]) -> None:
    """End a hold: the environment takes part in promotions again."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    prompts.print_header("end the hold", stage.environments, tools)
    for environment in stage.environments:
        hold = tools.holds.get(environment.name) if tools.dry else tools.holds.remove(environment.name)
        if hold is None:
            tools.reporter.note(f"already done: {environment.name} is not held")
        else:
            verb = "would remove" if tools.dry else "removed"
            tools.reporter.note(f"{verb} the hold: {environment.name} was {hold}")
