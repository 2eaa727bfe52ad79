"""What `lock.*` does."""

from __future__ import annotations

import sys

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.domain.lock import DEAD_RUN, Lock
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.execution import announce, join_names
from kaizen_tasks.flows.locking.liveness import is_run_dead
from kaizen_tasks.flows.locking.mutations import MutationLog
from kaizen_tasks.flows.locking.session import EnvironmentLockStatus, lock_status
from kaizen_tasks.wiring import Toolbox


def show(c: Context, *, env: list[str], json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    environments = params.resolve_environments_or_all(env, tools.settings)
    statuses = lock_status([environment.name for environment in environments], tools)
    if json:
        now = tools.clock.now()
        rows = {each.environment: json_output.lock_and_hold_document(each.lock, each.hold, now) for each in statuses}
        json_output.print_json({"app": tools.settings.app, "environments": rows})
        return
    from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich is slow to import

    tables.print_labelled([(status.environment, _describe(status, tools)) for status in statuses])


def _describe(status: EnvironmentLockStatus, tools: Toolbox) -> str:
    parts, lock = [str(status.lock)] if status.lock else [], status.lock
    if lock and is_run_dead(lock, tools):
        parts.append(DEAD_RUN)
    if status.hold:
        parts.append(str(status.hold))
    return "; ".join(parts) or "free"


def release(c: Context, *, env: list[str], force: bool) -> None:
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments
    announce(f"force-release lock of {join_names(environments)}", tools)
    locks = tools.locks.get_many([environment.name for environment in environments])
    if locks and not force:
        message = "; ".join(f"{name} is {lock}" for name, lock in locks.items())
        raise Refused(message, state=NOTHING_CHANGED, hint=f"if no run is active there: {typed_line('--force')}")
    mutations = MutationLog()
    with mutations.reclassify_errors():
        for environment in environments:
            _release_lock(environment.name, locks.get(environment.name), tools)
            mutations.add(f"the lock of {environment.name} is removed")


def _release_lock(environment: str, lock: Lock | None, tools: Toolbox) -> None:
    if lock is None:
        tools.reporter.note(f"already done: {environment} is not locked")
        return
    if not tools.dry and not tools.locks.release(lock):
        raise Refused(
            f"{environment}: another run has just taken the lock", state=NOTHING_CHANGED, hint="inv lock.show"
        )
    tools.reporter.note(f"{'would remove' if tools.dry else 'removed'} the lock: {environment} was {lock}")
