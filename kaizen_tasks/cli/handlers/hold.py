"""What `hold.*` does."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.hold import Hold, parse_hold_until
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, UsageError
from kaizen_tasks.flows.execution import announce, join_names
from kaizen_tasks.flows.holds import add_hold, remove_hold
from kaizen_tasks.flows.locking.mutations import MutationLog
from kaizen_tasks.flows.notification.session import sending_messages
from kaizen_tasks.wiring import Toolbox


def add(c: Context, *, env: list[str], reason: str, until: str) -> None:
    reason_text = " ".join(reason.split())
    tools = wiring.toolbox(c.config)
    stage = params.resolve_stage(env, tools.settings)
    if not reason_text:
        raise UsageError("hold.add: a hold needs a reason", hint=typed_line("--reason", "on a hotfix until Monday"))
    parse_hold_until(until, tools.clock.now())  # a usage error must not depend on AWS
    announce(f"hold {join_names(stage.environments)}", tools)
    now = tools.clock.now()  # of AWS, which `announce` asks who the caller is
    end = parse_hold_until(until, now)
    _refuse_conflicting_holds(stage.environments, reason_text, tools)
    mutations = MutationLog()
    with sending_messages(tools, stage.environments), mutations.reclassify_errors():
        for environment in stage.environments:
            hold = Hold(
                environment=environment.name,
                reason=reason_text,
                actor=tools.actor,
                since=now,
                until=end,
                run_url=tools.run_url,
            )
            _add_hold(hold, tools)
            mutations.add(f"{environment.name} is held")


def _refuse_conflicting_holds(environments: Sequence[Environment], reason: str, tools: Toolbox) -> None:
    holds = tools.holds.get_many([environment.name for environment in environments])
    conflicting_holds = [hold for hold in holds.values() if hold.reason != reason]
    if conflicting_holds:
        names = " ".join(f"--env {hold.environment}" for hold in conflicting_holds)
        message = "; ".join(f"{hold.environment} is already {hold}" for hold in conflicting_holds)
        raise Refused(message, state=NOTHING_CHANGED, hint=f"to replace it: inv hold.remove {names}")


def _add_hold(hold: Hold, tools: Toolbox) -> None:
    name = hold.environment
    current = (tools.holds.get(name) or hold) if tools.dry else add_hold(hold, tools)
    if current.reason != hold.reason:
        raise Refused(f"{name} is already {current}", state=NOTHING_CHANGED, hint="inv lock.show")
    if current != hold:
        tools.reporter.note(f"already done: {name} is {current}")
        return
    tools.reporter.note(f"{'would add: ' if tools.dry else ''}{name} is {hold}")


def remove(c: Context, *, env: list[str]) -> None:
    tools = wiring.toolbox(c.config)
    stage = params.resolve_stage(env, tools.settings)
    announce(f"remove hold from {join_names(stage.environments)}", tools)
    mutations = MutationLog()
    with sending_messages(tools, stage.environments), mutations.reclassify_errors():
        for environment in stage.environments:
            hold = tools.holds.get(environment.name) if tools.dry else remove_hold(environment.name, tools)
            if hold is None:
                tools.reporter.note(f"already done: {environment.name} is not held")
                continue
            verb = "would remove" if tools.dry else "removed"
            tools.reporter.note(f"{verb} the hold: {environment.name} was {hold}")
            mutations.add(f"the hold of {environment.name} is removed")
