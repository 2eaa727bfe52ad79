"""Rolls back automatically when a deployed release fails verification."""

from __future__ import annotations

from collections.abc import Sequence

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, LedgerEntry, rollback_candidates
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, RollbackFailed, Superseded, Unproven, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.commands import irreversible
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.ledger.verifications import find_verification, fix_hint
from kaizen_tasks.flows.rollback.candidates import RollbackTarget, first_with_image, names_without_image
from kaizen_tasks.flows.runner import Executor, run_flow
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.ports.tools import Tools


def run_with_auto_rollback(
    flow: Flow, release: Release, tools: Tools, execute: Executor, *, auto_rollback: bool = True
) -> Release:
    """Run a flow and return the resulting release; if verification fails, redeploy the last verified release.

    Args:
        flow: the flow to run.
        release: what is known of the release before the flow.
        tools: the ports.
        execute: see `run_flow`.
        auto_rollback: whether to roll back; otherwise the unverified release stays in service.

    Raises:
        Superseded: another deployment came in between; a rollback would undo it.
        Unproven: only a cache has answered, or no request has reached the app; the release may be right.
        VerifyFailed: verification failed; the error says what is serving now.
        RollbackFailed: verification failed, and the rollback failed too.
        KaizenError: any other error of `run_flow`.
    """
    try:
        return run_flow(flow, release, tools, execute)
    except (Superseded, Unproven):
        raise
    except VerifyFailed as error:
        if not auto_rollback:
            raise _withdraw(error, release, tools) from error
        raise _roll_back(error, tools.settings.environments[error.environment], tools, execute) from error


def _withdraw(error: VerifyFailed, release: Release, tools: Tools) -> VerifyFailed:
    """Record the failure of a release that was verified before and is serving; return the error to raise.

    The failure of any other release says nothing about it: another one is serving, or it was never verified. Nor does
    an answer that is about no version: `[verify]` may ask in a wrong way, perhaps on this machine alone.
    """
    environment = tools.settings.environments[error.environment]
    entry = ledger.read_latest_entry(environment, tools)
    if entry is None or entry.version != release.name or entry.event not in {Event.DEPLOYED, Event.VERIFIED}:
        return error
    verification = find_verification(environment, tools, digest=entry.digest)
    if verification is None or verification.withdrawal:
        return error
    if not error.is_refuted:
        kept = f"{release.name} stays verified in {environment.name}"
        state = f"{kept}: the app has answered no other version or environment"
        return VerifyFailed(error.message, environment=environment.name, state=state, hint=error.hint)
    ledger.append(Event.FAILED, environment, ledger.release_from_entry(entry), tools, reason=error.message)
    state = f"recorded: {release.name} is no longer promoted from {environment.name}, until it is verified there again"
    return VerifyFailed(error.message, environment=environment.name, state=state, hint=error.hint)


def _roll_back(error: VerifyFailed, environment: Environment, tools: Tools, execute: Executor) -> KaizenError:
    """Record the failure, bring back the last verified release, and return the error to raise."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    failed_entry = next((entry for entry in entries if entry.event is Event.DEPLOYED), None)
    if failed_entry is None:
        return error  # nothing was deployed
    ledger.append(Event.FAILED, environment, ledger.release_from_entry(failed_entry), tools, reason=error.message)
    failed_name, candidates = failed_entry.version, rollback_candidates(entries, excluded_digest=failed_entry.digest)
    kept_error = _error_of_kept_release(error, failed_entry, candidates, tools)
    if kept_error is not None:
        return kept_error
    previous = candidates[0].version
    try:
        target = first_with_image(environment, candidates, tools)
        if not isinstance(target, RollbackTarget):
            return _no_image_error(error, failed_entry, target, tools)
        previous = target.release.name
        note = target.describe_exceptions(environment)
        tools.reporter.note(f"rolling back to {previous} in {environment.name}{f' ({note})' if note else ''}")
        reason = f"{failed_name} failed verification"
        flow = catalogue.redeploy_previous(environment, reason=reason, source=target.source)
        run_flow(flow, target.release, tools, execute)
    except Unproven as unproven:
        return RollbackFailed(
            f"{environment.name}: {failed_name} failed verification; {previous} is deployed again, and not proven",
            state=unproven.message,
            hint=unproven.hint,
        )
    except KaizenError as rollback_error:
        return RollbackFailed(
            f"{environment.name}: {failed_name} failed verification, and so did the rollback to {previous}",
            state=rollback_error.message,
            hint=f"check the service now; then: inv rollback --env {environment.name} --release {previous}",
        )
    return VerifyFailed(
        error.message,
        environment=environment.name,
        state=f"{previous} is serving again, verified; {failed_name} is recorded as failed",
        hint=f"{fix_hint(failed_entry.commit, tools)}; --no-rollback leaves an unverified release in service",
    )


def _error_of_kept_release(
    error: VerifyFailed, failed_entry: LedgerEntry, candidates: Sequence[LedgerEntry], tools: Tools
) -> VerifyFailed | None:
    """Return the error of a release that stays in service, as no earlier one can come back; None if one can."""
    if not candidates:
        return error
    environment, previous = tools.settings.environments[error.environment], candidates[0]
    obstacle = irreversible.find_obstacle(environment, previous.digest, tools)
    if obstacle is None:
        return None
    obstacle_text = irreversible.describe_obstacle(obstacle, tools)
    return VerifyFailed(
        error.message,
        environment=environment.name,
        state=f"{failed_entry.version} still serves, recorded as failed, as {previous.version} would go behind "
        f"{obstacle_text}",
        hint=f"{fix_hint(failed_entry.commit, tools)}; or go behind it all the same: "
        f"{irreversible.override_command(environment.name, previous.version)}",
    )


def _no_image_error(
    error: VerifyFailed, failed_entry: LedgerEntry, names: tuple[str, ...], tools: Tools
) -> VerifyFailed:
    return VerifyFailed(
        error.message,
        environment=error.environment,
        state=f"{failed_entry.version} still serves, recorded as failed: {names_without_image(names)} to roll back to",
        hint=fix_hint(failed_entry.commit, tools),
    )
