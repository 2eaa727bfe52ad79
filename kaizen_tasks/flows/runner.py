"""Runs the steps of a flow: observe, decide, act, observe again."""

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
    from kaizen_tasks.flows.locking.mutations import MutationLog
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

Executor = Callable[["Step", Act, "Release", "Tools"], "Release"]
"""What happens when a step has decided to act; returns the release as it is afterwards."""


def dry_run_step(_step: Step, decision: Act, _release: Release, _tools: Tools) -> Release:
    """Return the release as the step would leave it, and change nothing: the executor of a dry run."""
    return decision.release


def apply_step(step: Step, _decision: Act, release: Release, tools: Tools) -> Release:
    """Act, then let the step decide again to confirm the result.

    Raises:
        KaizenError: the step failed, or its result cannot be confirmed.
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
    """Act, and drop the cached repository state whether it succeeds or not."""
    try:
        return step.act(release, tools)
    finally:
        tools.scm.invalidate_cache()


def choose_executor(*, dry: bool) -> Executor:
    """Return what happens when a step has decided to act: in a dry run, nothing."""
    return dry_run_step if dry else apply_step


def logging_executor(mutations: MutationLog) -> Executor:
    """Return an executor that needs no lock, and logs what it changes."""

    def execute(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        return apply_step(step, decision, release, guard_mutations(tools, lambda: None, mutations))

    return execute


def guarded_executor(guard: LockGuard) -> Executor:
    """Return an executor that acts only while the locks are this run's own."""

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
        execute: `apply_step`, or `dry_run_step`.

    Raises:
        Refused: a step refuses.
        KaizenError: a step failed; running the same flow again continues from there.
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
        f"{step.label}: it reported success, but a second check finds: {description}",
        state="somebody else may have undone the step at the same moment",
        hint="run the same command again",
    )
