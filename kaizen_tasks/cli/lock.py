"""`lock.*` and `hold.*`: who changes an environment now, and what is to be left as it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV, JSON, command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from invoke.collection import Collection
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.flows.locking.session import Standing
    from kaizen_tasks.wiring import Toolbox

NOTHING = "nothing has been changed there"


def lock_collection() -> Collection:
    """Return the tasks about locks as a collection."""
    from invoke.collection import Collection

    return Collection(show, release)


def hold_collection() -> Collection:
    """Return the tasks about holds as a collection."""
    from invoke.collection import Collection

    return Collection(add, remove)


@command(iterable=["env"], help={"env": f"{ENV}; without it, all of them", "json": JSON})
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show who locks or holds what, since when and why."""
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = prompts.stage(env or list(tools.settings.environments), tools.settings)
    seen = session.look([environment.name for environment in stage.environments], tools)
    now = tools.clock.now()
    if json:
        rows = {each.environment: json_output.standing_document(each.lock, each.hold, now) for each in seen}
        json_output.print_json({"app": tools.settings.app, "environments": rows})
        return
    for each in seen:
        tools.reporter.note(f"{each.environment:<16}  {_words(each, now, tools)}")


def _words(standing: Standing, now: datetime, tools: Toolbox) -> str:
    words, lock = [str(standing.lock)] if standing.lock else [], standing.lock
    if lock and (lock.expired(now) or tools.machine.has_ended(lock.process, bearing=lock.token)):
        words.append("that run has died, and the next one takes over")
    if standing.hold:
        words.append(str(standing.hold))
    return "; ".join(words) or "free"


@command(iterable=["env"], help={"env": ENV, "force": "remove it although its owner has not given it back"})
def release(c: Context, env: list[str], force: bool = False) -> None:
    """Remove a lock that was left over; a run that does live notices it, and stops."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    prompts.announce("release the lock", stage.environments, tools)
    for environment in stage.environments:
        _release(environment.name, tools, force=force)


def _release(environment: str, tools: Toolbox, *, force: bool) -> None:
    from kaizen_tasks.errors import Refused

    standing = tools.locks.find(environment)
    if standing is None:
        tools.reporter.note(f"already done: {environment} is not locked")
        return
    if not force:
        raise Refused(f"{environment} is {standing}", state=NOTHING, hint="if nobody is at work there: add --force")
    if not tools.dry and not tools.locks.release(standing):
        raise Refused(f"{environment}: its lock has changed hands just now", state=NOTHING, hint="inv lock.show")
    tools.reporter.note(f"{'would remove' if tools.dry else 'removed'} the lock: {environment} was {standing}")


@command(
    iterable=["env"],
    help={"env": ENV, "reason": "why it is to be left alone", "until": "for how long: 7d, 12h; without it, for good"},
)
def add(c: Context, env: list[str], reason: str = "", until: str = "") -> None:
    """Leave an environment as it is until the hold ends or is removed."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.domain import hold as holds
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.wiring import toolbox

    why = " ".join(reason.split())
    if not why:
        raise UsageError("hold.add: a hold needs a reason", hint='--reason "on a hotfix until Monday"')
    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    now = tools.clock.now()
    end = holds.end(until, now)
    prompts.announce("hold", stage.environments, tools)
    _refuse_others(stage.environments, why, tools)
    for environment in stage.environments:
        wanted = holds.Hold(environment=environment.name, reason=why, actor=tools.actor, since=now, until=end)
        _hold(wanted, tools)


def _refuse_others(environments: Sequence[Environment], reason: str, tools: Toolbox) -> None:
    from kaizen_tasks.errors import Refused

    found = [tools.holds.find(environment.name) for environment in environments]
    others = [hold for hold in found if hold is not None and hold.reason != reason]
    if others:
        names = " ".join(f"--env {hold.environment}" for hold in others)
        what = "; ".join(f"{hold.environment} is already {hold}" for hold in others)
        raise Refused(what, state=NOTHING, hint=f"to replace it: inv hold.remove {names}")


def _hold(wanted: Hold, tools: Toolbox) -> None:
    from kaizen_tasks.errors import Refused

    standing = (tools.holds.find(wanted.environment) or wanted) if tools.dry else tools.holds.add(wanted)
    if standing.reason != wanted.reason:
        raise Refused(f"{wanted.environment} is already {standing}", state=NOTHING, hint="inv lock.show")
    if standing != wanted:
        tools.reporter.note(f"already done: {wanted.environment} is {standing}")
        return
    tools.reporter.note(f"{'would add: ' if tools.dry else ''}{wanted.environment} is {wanted}")


@command(iterable=["env"], help={"env": ENV})
def remove(c: Context, env: list[str]) -> None:
    """End a hold: the environment takes part in promotions again."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    prompts.announce("end the hold", stage.environments, tools)
    for environment in stage.environments:
        gone = tools.holds.find(environment.name) if tools.dry else tools.holds.remove(environment.name)
        if gone is None:
            tools.reporter.note(f"already done: {environment.name} is not held")
        else:
            verb = "would remove" if tools.dry else "removed"
            tools.reporter.note(f"{verb} the hold: {environment.name} was {gone}")
