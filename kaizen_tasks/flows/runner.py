"""Walks through a flow: observe, decide, act, observe again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows.locking.guard import guarded

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.locking.session import Fence
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

Executor = Callable[["Step", Act, "Release", "Tools"], "Release"]
"""What happens when a step has decided to act; returns the release as it is afterwards."""


def display(_step: Step, decision: Act, _release: Release, _tools: Tools) -> Release:
    """Change nothing; go on as if the step had done what it would do. This is the dry run."""
    return decision.release


def perform(step: Step, _decision: Act, release: Release, tools: Tools) -> Release:
    """Do it, and look again.

    Raises:
        KaizenError: the step failed, or claims to have done what cannot be seen.
    """
    began = tools.clock.elapsed()
    try:
        after = _acted(step, release, tools)
        seen = step.decide(after, tools)
    except BaseException:
        tools.reporter.failed(step.label, tools.clock.elapsed() - began)
        raise
    if not isinstance(seen, Done):
        tools.reporter.failed(step.label, tools.clock.elapsed() - began)
        raise _unseen(step, seen)
    tools.reporter.acted(step.label, seen.reason, tools.clock.elapsed() - began)
    return seen.release


def _acted(step: Step, release: Release, tools: Tools) -> Release:
    """Act; whatever comes of it, nothing that was seen before counts any more."""
    try:
        return step.act(release, tools)
    finally:
        tools.scm.look_again()


def fenced(fence: Fence) -> Executor:
    """Return an executor that acts only as long as the locks are this run's own."""

    def execute(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        environment = step.label.environment
        fence.confirm(environment)
        return perform(step, decision, release, guarded(tools, partial(fence.check, environment), fence.trace))

    return execute


def run(flow: Flow, release: Release, tools: Tools, execute: Executor = perform) -> Release:
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
            case Refuse(why=why, hint=hint):
                raise Refused(f"{step.label}: {'; '.join(why)}", hint=hint)
    return release


def _unseen(step: Step, seen: Act | Refuse) -> KaizenError:
    what = seen.what if isinstance(seen, Act) else "; ".join(seen.why)
    return KaizenError(
        f"{step.label}: it reported success, but looking again finds: {what}",
        state="the step may have been undone by somebody else at the same moment",
        hint="type the same command again",
    )
