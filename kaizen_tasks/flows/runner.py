"""Runs the steps of a flow: observe, decide, act, observe again."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Cancelled, KaizenError, Refused
from kaizen_tasks.flows.step import FileStep, Flow, ProbeStep, ReasonedStep, Step
from kaizen_tasks.ports.activity import observing_activity
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.flows.locking.guard import LockGuard
    from kaizen_tasks.flows.locking.mutations import MutationLog

Executor = Callable[[Step, Act, Release, Tools], Release]
"""Carries out a step's decision to act, and returns the release as it is afterwards."""


def dry_run_step(_step: Step, decision: Act, _release: Release, _tools: Tools) -> Release:
    """Return the release as the step would leave it, and change nothing: the executor of a dry run."""
    return decision.release


def apply_step(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
    """Run the step's `act`, then its `decide` to confirm the result; return the release as it is afterwards.

    Raises:
        KaizenError: the step failed, or its result cannot be confirmed.
    """
    started_at = tools.clock.monotonic()
    try:
        updated_release = _act(step, release, tools)
        final_decision = step.decide(updated_release, tools)
    except BaseException as error:
        origin = f"{step.label.environment} | " if step.label.environment else ""
        for line in error.output if isinstance(error, KaizenError) else ():
            tools.reporter.note(f"  {origin}{line}".rstrip(), step.label)
        is_cancelled = isinstance(error, KeyboardInterrupt | Cancelled)
        report = tools.reporter.interrupted if is_cancelled else tools.reporter.failed
        report(step.label, tools.clock.monotonic() - started_at)
        raise
    if not isinstance(final_decision, Done):
        tools.reporter.failed(step.label, tools.clock.monotonic() - started_at)
        raise _unconfirmed_error(step, final_decision)
    reason = decision.description if isinstance(step, ReasonedStep) else final_decision.reason
    tools.reporter.succeeded(step.label, reason, tools.clock.monotonic() - started_at)
    return final_decision.release


def _act(step: Step, release: Release, tools: Tools) -> Release:
    """Run the step's `act`; drop the cached repository state unless it edits files in memory, also when it fails."""
    try:
        with observing_activity(partial(tools.reporter.activity, step.label)):
            return step.act(release, tools)
    finally:
        if not (isinstance(step, FileStep) and tools.release_files.in_memory):
            tools.scm.invalidate_cache()


def choose_executor(*, dry: bool) -> Executor:
    """Return `dry_run_step` for a dry run, else `apply_step`."""
    return dry_run_step if dry else apply_step


@contextmanager
def noting_interruptions(execute: Executor, *, without_effect: Collection[str] = ()) -> Iterator[Executor]:
    """Give an executor to steps that no lock protects; add what they did to Ctrl-C, and to an output that fails.

    Args:
        execute: the executor.
        without_effect: names of the steps whose changes are in memory only, until another step writes them.

    Raises:
        Interrupted: in place of the refusal of a step, when one before it has changed something.
    """
    from kaizen_tasks.flows.locking.mutations import MutationLog

    done = MutationLog()

    def execute_and_note(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        if execute is dry_run_step or step.label.step in without_effect:
            return execute(step, decision, release, tools)
        try:
            updated_release = execute(step, decision, release, tools)
            done.add(str(step.label))
        except (KeyboardInterrupt, OSError):
            done.add(f"perhaps {step.label}")
            raise
        return updated_release

    with done.reclassify_errors():
        yield execute_and_note


def logging_executor(mutations: MutationLog) -> Executor:
    """Return an executor that needs no lock, and logs its changes in `mutations`."""
    from kaizen_tasks.flows.locking.mutations import guard_mutations

    def execute(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        return apply_step(step, decision, release, guard_mutations(tools, lambda: math.inf, mutations))

    return execute


def guarded_executor(guard: LockGuard) -> Executor:
    """Return an executor that acts only while the locks are this run's own."""
    from kaizen_tasks.flows.locking.mutations import guard_mutations

    def execute(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        environment = step.label.environment
        if not isinstance(step, ProbeStep):
            guard.require_ownership(environment)
        return apply_step(
            step, decision, release, guard_mutations(tools, partial(guard.require_lease, environment), guard.mutations)
        )

    return execute


def run_flow(flow: Flow, release: Release, tools: Tools, execute: Executor = apply_step) -> Release:
    """Run the steps of a flow one after the other; return the release as it is afterwards.

    The outcome of a deployment is written at the end, if the flow lacks the step that would write it.

    Args:
        flow: the steps in order.
        release: what is known of the release before the first step.
        tools: the ports.
        execute: carries out the steps that decide to act.

    Raises:
        Refused: a step refuses.
        KaizenError: a step failed; running the same flow again continues from that step.
    """
    for step in flow:
        decision = step.decide(release, tools)
        tools.reporter.decided(step.label, decision)
        match decision:
            case Done(release=release):
                pass
            case Act():
                release = execute(step, decision, release, tools)
            case Refuse(reasons=reasons, state=state, hint=hint):
                reason, *other_reasons = reasons
                also = f"also: {'; '.join(other_reasons)}" if other_reasons else ""
                raise Refused(f"{step.label}: {reason}", state="; ".join(filter(None, (also, state))), hint=hint)
    if release.outcome is None:
        return release
    from kaizen_tasks.flows.ledger.entries import write_outcome

    return write_outcome(release, tools)


def _unconfirmed_error(step: Step, decision: Act | Refuse) -> KaizenError:
    description = decision.description if isinstance(decision, Act) else "; ".join(decision.reasons)
    return KaizenError(
        f"{step.label}: it reported success, but a second check finds: {description}",
        state="somebody else may have undone the step at the same moment",
        hint="run the same command again",
    )
