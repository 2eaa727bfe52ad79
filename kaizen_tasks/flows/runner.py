"""Walks through a flow: observe, decide, act, observe again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows.locking.mutations import guard_mutations

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.locking.guard import LockGuard
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

Executor = Callable[["Step", Act, "Release", "Tools"], "Release"]
"""What happens when a step has decided to act; returns the release as it is afterwards."""


def dry_run_step(_step: Step, decision: Act, _release: Release, _tools: Tools) -> Release:
    """Change nothing; go on as if the step had done what it would do. This is the dry run."""
    return decision.release


def apply_step(step: Step, _decision: Act, release: Release, tools: Tools) -> Release:
    """Do it, and look again.

    Raises:
        KaizenError: the step failed, or claims to have done what cannot be seen.
    """
    started_at = tools.clock.monotonic()
    try:
        updated_release = _act(step, release, tools)
        final_decision = step.decide(updated_release, tools)
    except BaseException:
        tools.reporter.failed(step.label, tools.clock.monotonic() - started_at)
        raise
    if not isinstance(final_decision, Done):
        tools.reporter.failed(step.label, tools.clock.monotonic() - started_at)
        raise _unconfirmed_error(step, final_decision)
    tools.reporter.succeeded(step.label, final_decision.reason, tools.clock.monotonic() - started_at)
    return final_decision.release


def _act(step: Step, release: Release, tools: Tools) -> Release:
    """Act; whatever comes of it, nothing that was seen before counts any more."""
    try:
        return step.act(release, tools)
    finally:
        tools.scm.invalidate_cache()


def guarded_executor(guard: LockGuard) -> Executor:
    """Return an executor that acts only as long as the locks are this run's own."""

    def execute(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        environment = step.label.environment
        guard.require_ownership(environment)
        return apply_step(
            step, decision, release, guard_mutations(tools, partial(guard.require_lease, environment), guard.mutations)
        )

    return execute


def run_flow(flow: Flow, release: Release, tools: Tools, execute: Executor = apply_step) -> Release:
    """Take a release through a flow.

    Args:
        flow: the steps in order.
        release: what is known of the release before the first one.
        tools: the outside world.
        execute: `perform`, or `display` for a dry run.

    Raises:
        Refused: a step refuses to go on.
        KaizenError: a step failed; running the same flow again goes on from there.
    """
    for step in flow:
        decision = step.decide(release, tools)
        tools.reporter.decided(step.label, decision)
        match decision:
            case Done(release=release):
                pass
            case Act():
                release = execute(step, decision, release, tools)
            case Refuse(reasons=why, hint=hint):
                raise Refused(f"{step.label}: {'; '.join(why)}", hint=hint)
    return release


def _unconfirmed_error(step: Step, decision: Act | Refuse) -> KaizenError:
    description = decision.description if isinstance(decision, Act) else "; ".join(decision.reasons)
    return KaizenError(
        f"{step.label}: it reported success, but looking again finds: {description}",
        state="the step may have been undone by somebody else at the same moment",
        hint="type the same command again",
    )
