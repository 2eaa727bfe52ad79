"""Plans `inv rollback`: the releases to choose from, and the choice, for each environment before any is changed."""

from __future__ import annotations

from functools import partial

from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import RollbackCandidate, open_rollback, rollback_candidates, serving_entry
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Locked, Refused, RollbackFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.ports.tools import Tools


def plan_rollback(
    environments: tuple[Environment, ...], version: Version | None, *, reason: str, tools: Tools
) -> Change:
    """Return the change that rolls back environments, one after the other.

    Args:
        environments: which, held or not.
        version: what to go back to; None means each environment's last verified release before the serving one.
        reason: why, for the ledger and the holds.
        tools: the ports.

    Raises:
        Refused: an environment has no such release.
    """
    targets = {environment.name: choose_release(environment, version, tools) for environment in environments}
    return Change(
        title=_title(targets),
        environments=environments,
        hold_policy=HoldPolicy.IGNORE,
        run=lambda execution: execution.run_one_by_one(
            environments,
            lambda environment, own: _roll_back(environment, targets[environment.name], reason, own),
        ),
    )


def _title(targets: dict[str, Release]) -> str:
    names_by_release: dict[str, list[str]] = {}
    for name, target in targets.items():
        names_by_release.setdefault(target.name, []).append(name)
    return "roll back " + "; ".join(f"{', '.join(names)} to {release}" for release, names in names_by_release.items())


def _roll_back(environment: Environment, target: Release, reason: str, execution: Execution) -> None:
    try:
        with execution.mutations.reclassify_errors():
            run_flow(catalogue.rollback(environment, reason=reason), target, execution.tools, execution.execute)
    except (Refused, Locked):
        raise
    except KaizenError as error:
        raise RollbackFailed(
            f"{environment.name}: rolling back to {target.name} failed: {error.message}",
            state=error.state,
            hint="check the service now; run the same command to retry",
        ) from error


def list_candidates(environment: Environment, tools: Tools) -> tuple[RollbackCandidate, ...]:
    """Return the verified releases other than the serving one, the latest first."""
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    current = serving_entry(entries)
    find_image = partial(tools.registry.find_image, environment.repository)
    return tuple(
        RollbackCandidate(entry=entry, image_exists=find_image(entry.digest) is not None)
        for entry in rollback_candidates(entries, excluded_digest=current.digest if current else "")
    )


def choose_release(environment: Environment, requested_version: Version | None, tools: Tools) -> Release:
    """Return the last verified release before the serving one, or the requested one.

    If the latest entries are a rollback, finished or not, and no other version is requested, return its release again:
    the same command finishes that rollback and does not go further back.

    Raises:
        Refused: no such release was verified in the environment, or its image is gone.
    """
    pending_rollback = open_rollback(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    name = versions.image_tag(requested_version) if requested_version else ""
    if pending_rollback is not None and name in {"", pending_rollback.version}:
        return ledger.release_from_entry(pending_rollback)
    candidates = list_candidates(environment, tools)
    selected = next((candidate for candidate in candidates if name in {"", candidate.entry.version}), None)
    if selected is None:
        raise _unknown_release_error(environment, name, candidates, tools)
    if not selected.image_exists:
        raise Refused(
            f"{environment.name}: {environment.repository} no longer has {selected.entry.version}",
            state=NOTHING_CHANGED,
            hint=f"inv rollback --env {environment.name} --list shows the releases to choose from",
        )
    return ledger.release_from_entry(selected.entry)


def _unknown_release_error(
    environment: Environment, name: str, candidates: tuple[RollbackCandidate, ...], tools: Tools
) -> Refused:
    current_entry = serving_entry(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    is_serving = current_entry is not None and current_entry.version == name
    reason = "is the release that is serving" if is_serving else "was never verified there"
    message = f"{environment.name}: {name} {reason}" if name else ""
    hint = f"verified there: {', '.join(candidate.entry.version for candidate in candidates)}"
    return Refused(
        message or f"{environment.name} has no verified release before the serving one",
        state=NOTHING_CHANGED,
        hint=hint if candidates else f"inv history --env {environment.name} shows its ledger",
    )
