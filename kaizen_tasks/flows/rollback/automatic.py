"""The way back when a release came into service and does not prove itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Entry, Event, candidates
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, RollbackFailed, Superseded, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import run

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.runner import Executor
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools


def run_or_go_back(flow: Flow, release: Release, tools: Tools, execute: Executor, *, go_back: bool = True) -> Release:
    """Run a flow; when the app does not prove itself, bring the last verified release into service again.

    Args:
        flow: what to run.
        release: what is known of the release before it.
        tools: the outside world.
        execute: see `run`.
        go_back: whether to; otherwise the unproven release stays in service.

    Raises:
        Superseded: another deployment came in between: going back would undo what its owner wants.
        VerifyFailed: the app did not prove itself; the error says what is serving now.
        RollbackFailed: and the way back failed as well.
        KaizenError: anything else that `run` raises.
    """
    try:
        return run(flow, release, tools, execute)
    except Superseded:
        raise
    except VerifyFailed as error:
        if not go_back:
            raise
        raise _gone_back(error, tools.settings.environments[error.environment], tools, execute) from error


def _gone_back(error: VerifyFailed, environment: Environment, tools: Tools, execute: Executor) -> KaizenError:
    """Record the failure and return the error to raise, once the last verified release is serving again."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY)
    failed = next((entry for entry in entries if entry.event is Event.DEPLOYED), None)
    if failed is None:
        return error  # nothing of this run came into service
    ledger.append(Event.FAILED, environment, _release(failed), tools, reason=error.what)
    proven = next(iter(candidates(entries, other_than=failed.digest)), None)
    if proven is None:
        return error
    tools.reporter.note(f"going back to {proven.version} in {environment.name}")
    try:
        flow = catalogue.return_to(environment, reason=f"{failed.version} did not prove itself")
        run(flow, _release(proven), tools, execute)
    except KaizenError as second:
        return RollbackFailed(
            f"{environment.name}: {failed.version} did not prove itself, and going back to {proven.version} failed",
            state=second.what,
            hint=f"look at the service now; then: inv rollback --env {environment.name} --release {proven.version}",
        )
    return VerifyFailed(
        error.what,
        environment=environment.name,
        state=f"{proven.version} is serving again, verified; {failed.version} is recorded as failed",
        hint="mend the app and release the next version; --no-rollback leaves an unproven release in service",
    )


def _release(entry: Entry) -> Release:
    return Release(version=versions.parse(entry.version), commit=entry.commit, digest=entry.digest)
