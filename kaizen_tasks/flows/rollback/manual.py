"""Plans `inv rollback`: the release of each environment is chosen before any of them is changed."""

from __future__ import annotations

from semver import Version

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, Locked, Refused, RollbackFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.rollback.candidates import choose_release
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
