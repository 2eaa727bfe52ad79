"""The way back when a release came into service and does not prove itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Event, LedgerEntry, rollback_candidates
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, RollbackFailed, Superseded, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import run_flow

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.runner import Executor
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools


def run_with_auto_rollback(
    flow: Flow, release: Release, tools: Tools, execute: Executor, *, auto_rollback: bool = True
) -> Release:
    """Run a flow; when the app does not prove itself, bring the last verified release into service again.

    Args:
        flow: what to run.
        release: what is known of the release before it.
        tools: the outside world.
        execute: see `run`.
        auto_rollback: whether to; otherwise the unproven release stays in service.

    Raises:
        Superseded: another deployment came in between: going back would undo what its owner wants.
        VerifyFailed: the app did not prove itself; the error says what is serving now.
        RollbackFailed: and the way back failed as well.
        KaizenError: anything else that `run` raises.
    """
    try:
        return run_flow(flow, release, tools, execute)
    except Superseded:
        raise
    except VerifyFailed as error:
        if not auto_rollback:
            raise
        raise _roll_back(error, tools.settings.environments[error.environment], tools, execute) from error


def _roll_back(error: VerifyFailed, environment: Environment, tools: Tools, execute: Executor) -> KaizenError:
    """Record the failure and return the error to raise, once the last verified release is serving again."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    failed_entry = next((entry for entry in entries if entry.event is Event.DEPLOYED), None)
    if failed_entry is None:
        return error  # nothing of this run came into service
    ledger.append(Event.FAILED, environment, _release_from_entry(failed_entry), tools, reason=error.message)
    verified_entry = next(iter(rollback_candidates(entries, excluded_digest=failed_entry.digest)), None)
    if verified_entry is None:
        return error
    tools.reporter.note(f"going back to {verified_entry.version} in {environment.name}")
    try:
        flow = catalogue.redeploy_previous(environment, reason=f"{failed_entry.version} did not prove itself")
        run_flow(flow, _release_from_entry(verified_entry), tools, execute)
    except KaizenError as rollback_error:
        return RollbackFailed(
            f"{environment.name}: {failed_entry.version} did not prove itself, and going back to {verified_entry.version} failed",
            state=rollback_error.message,
            hint=f"look at the service now; then: inv rollback --env {environment.name} --release {verified_entry.version}",
        )
    return VerifyFailed(
        error.message,
        environment=environment.name,
        state=f"{verified_entry.version} is serving again, verified; {failed_entry.version} is recorded as failed",
        hint="mend the app and release the next version; --no-rollback leaves an unproven release in service",
    )


def _release_from_entry(entry: LedgerEntry) -> Release:
    return Release(version=versions.parse_version(entry.version), commit=entry.commit, digest=entry.digest)
