"""Plans `inv rollback`: the releases to choose from, and the choice, for each environment before any is changed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import (
    Event,
    LedgerEntry,
    latest_deployment_entry,
    open_rollback,
    release_to_leave,
    rollback_candidates,
    serving_entry,
)
from kaizen_tasks.domain.text.listing import MAX_ENVIRONMENTS, list_names
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Locked, Refused, RollbackFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.commands import irreversible
from kaizen_tasks.flows.doctor import preflight
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.ledger.verifications import age_and_actor, describe_withdrawal, find_verification
from kaizen_tasks.flows.outcome import Outcome, end_of_holds, serving
from kaizen_tasks.flows.rollback.candidates import RollbackTarget, first_with_image, names_without_image
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.ports.tools import Tools


def plan_rollback(
    environments: tuple[Environment, ...],
    version: Version | None,
    *,
    reason: str,
    tools: Tools,
    despite_irreversible: str = "",
) -> Change:
    """Return the change that rolls back environments, one after the other.

    Args:
        environments: which, held or not.
        version: what to go back to; None means each environment's last verified release before the serving one.
        reason: why, for the ledger and the holds.
        tools: the ports.
        despite_irreversible: why the rollback may go behind commands that cannot be undone; empty if it may not.

    Raises:
        Refused: an environment has no such release, or it is behind a command that cannot be undone.
    """
    targets = {environment.name: choose_target(environment, version, tools) for environment in environments}
    for environment in environments:
        _require_nothing_irreversible(environment, targets[environment.name], despite_irreversible, tools)
    if despite_irreversible:
        reason = f"{reason}; despite irreversible commands: {despite_irreversible}"
    return Change(
        title=_title(targets),
        environments=environments,
        hold_policy=HoldPolicy.IGNORE,
        preflight=lambda: _note_holds(environments, tools),
        check_environments=lambda checked: preflight.require_no_problems(checked, tools),
        verifies=True,
        run=lambda execution: _run(targets, environments, reason, execution),
    )


def _note_holds(environments: Sequence[Environment], tools: Tools) -> None:
    """Say which environments are held: unlike a promotion, a rollback does not leave them out."""
    for name, hold in tools.holds.get_many([environment.name for environment in environments]).items():
        tools.reporter.note(f"  {name} is {hold}; it is rolled back all the same, and stays held")


def _run(
    targets: dict[str, RollbackTarget], environments: tuple[Environment, ...], reason: str, execution: Execution
) -> Outcome:
    execution.run_one_by_one(
        environments, lambda environment, own: _roll_back(environment, targets[environment.name], reason, own)
    )
    groups = itertools.groupby(environments, key=lambda environment: targets[environment.name].release)
    texts = [serving(release, members) for release, members in groups]
    held = "and is held" if len(environments) == 1 else "and are held"
    return Outcome(text=f"{'; '.join(texts)} {held}", next_step=end_of_holds(environments))


def _title(targets: dict[str, RollbackTarget]) -> str:
    names_by_release: dict[str, list[str]] = {}
    for name, target in targets.items():
        names_by_release.setdefault(target.release.name, []).append(name)
    return "roll back " + "; ".join(
        f"{list_names(names, limit=MAX_ENVIRONMENTS)} to {release}" for release, names in names_by_release.items()
    )


def _roll_back(environment: Environment, target: RollbackTarget, reason: str, execution: Execution) -> None:
    flow = catalogue.rollback(environment, reason=reason, source=target.source)
    try:
        with execution.mutations.reclassify_errors():
            run_flow(flow, target.release, execution.tools, execution.execute)
    except (Refused, Locked):
        raise
    except KaizenError as error:
        raise RollbackFailed(
            f"{environment.name}: rolling back to {target.release.name} failed: {error.message}",
            state=error.state,
            hint="check the service now; run the same command to retry",
        ) from error


def choose_target(environment: Environment, requested_version: Version | None, tools: Tools) -> RollbackTarget:
    """Return the last verified release before the serving one, or the requested one.

    If the latest entries are a rollback, finished or not, and no other version is requested, return its release again:
    the same command finishes that rollback and does not go further back.

    Raises:
        Refused: no such release was verified in the environment, it has failed or was rolled back there since, or
            there is no image.
    """
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    name = versions.image_tag(requested_version) if requested_version else ""
    pending, leaving = open_rollback(entries), release_to_leave(entries)
    if pending is not None and name in {"", pending.version}:
        candidates: tuple[LedgerEntry, ...] = (pending,)
        _note_no_further(environment, pending, entries, tools)
    else:
        found = rollback_candidates(entries, excluded_digest=leaving.digest if leaving else "")
        candidates = tuple(entry for entry in found if name in {"", entry.version})
        if not candidates:
            raise _no_candidate_error(environment, name, entries, tools)
    target = first_with_image(environment, candidates, tools)
    if isinstance(target, RollbackTarget):
        if note := target.describe_exceptions(environment):
            tools.reporter.note(f"{environment.name}: {note}")
        return target
    raise Refused(
        f"{environment.name}: {names_without_image(target)}",
        state=NOTHING_CHANGED,
        hint=f"release a fix, or see the other releases: inv rollback --env {environment.name} --list",
    )


def _require_nothing_irreversible(
    environment: Environment, target: RollbackTarget, exception: str, tools: Tools
) -> None:
    """Refuse a rollback behind a command that cannot be undone, unless there is a reason or it has begun already."""
    pending = open_rollback(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    if pending is not None and pending.digest == target.release.digest:
        return
    obstacle = irreversible.find_obstacle(environment, target.release.digest, tools)
    if obstacle is None:
        return
    description = irreversible.describe_obstacle(obstacle, tools)
    if exception:
        tools.reporter.note(f"{environment.name}: goes behind {description}; for the ledger: {exception}")
        return
    raise Refused(
        f"{environment.name}: {target.release.name} would go behind {description}",
        state=NOTHING_CHANGED,
        hint=f"release a fix; or, if {target.release.name} runs with what the command has changed: "
        f"{irreversible.override_command(environment.name, target.release.name)}",
    )


def _note_no_further(
    environment: Environment, rollback: LedgerEntry, entries: Sequence[LedgerEntry], tools: Tools
) -> None:
    """Say that a finished rollback is not followed by another one, and how to go further back."""
    latest_entry = latest_deployment_entry(entries)
    if latest_entry is None or latest_entry.event is not Event.VERIFIED:
        return
    earlier = next(iter(rollback_candidates(entries, excluded_digest=rollback.digest)), None)
    advice = f"; further back: --release {earlier.version}" if earlier else "; no earlier release is verified there"
    age = age_and_actor(rollback, tools)
    tools.reporter.note(f"{environment.name} was rolled back to {rollback.version} {age}{advice}")


def _no_candidate_error(environment: Environment, name: str, entries: Sequence[LedgerEntry], tools: Tools) -> Refused:
    current, verification = serving_entry(entries), find_verification(environment, tools, name=name)
    if not name:
        message = f"{environment.name} has no verified release before the serving one"
    elif current is not None and current.version == name:
        message = f"{environment.name}: {name} is the release that is serving"
    elif verification is not None and verification.withdrawal:
        message = f"{environment.name}: {describe_withdrawal(verification, environment, tools)}"
    else:
        message = f"{environment.name}: {name} was never verified there"
    return Refused(message, state=NOTHING_CHANGED, hint=_other_ways(environment, name, entries, tools))


def _other_ways(environment: Environment, name: str, entries: Sequence[LedgerEntry], tools: Tools) -> str:
    """Return the releases to choose instead and, for a withdrawn one, how to bring it back all the same."""
    leaving, verification = release_to_leave(entries), find_verification(environment, tools, name=name)
    candidates = rollback_candidates(entries, excluded_digest=leaving.digest if leaving else "")
    verified = ", ".join(entry.version for entry in candidates)
    ways = [f"verified there: {verified}"] if verified else []
    if name and verification is not None and verification.withdrawal:
        ways.append(f"to bring it back all the same: inv deploy --env {environment.name} --release {name}")
    return "; ".join(ways) or f"see its ledger: inv history --env {environment.name}"
