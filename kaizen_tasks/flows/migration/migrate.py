"""Plans the command that gives environments their second service, and tells where their addresses must lead then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, UsageError
from kaizen_tasks.flows.execution import Change, Execution, join_names
from kaizen_tasks.flows.migration import waiting
from kaizen_tasks.flows.migration.create import creation_flow
from kaizen_tasks.flows.migration.plan import (
    EnvironmentPlan,
    MigrationRequest,
    plan_environment,
    read_migration,
    require_possible,
)
from kaizen_tasks.flows.migration.rollout import run_canary_first
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.runner import run_flow

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import CommandTools, Tools

MAX_CONCURRENT_PLANS = 16


@frozen(kw_only=True)
class MigrationPlan:
    """The migration of several environments.

    Attributes:
        request: what the flags ask for.
        plans: the migration of each environment, in order.
    """

    request: MigrationRequest
    plans: tuple[EnvironmentPlan, ...]

    @property
    def environments(self) -> tuple[Environment, ...]:
        """The environments with their old services."""
        return tuple(plan.environment for plan in self.plans)

    @property
    def title(self) -> str:
        """The title of the new platform."""
        return PLATFORMS[self.request.platform].title

    def as_change(self, tools: CommandTools) -> Change:
        """Return the change that creates the new services, or brings them what serves now, and proves them."""

        def run(execution: Execution) -> Outcome:
            run_canary_first(
                self.environments,
                lambda environment: self._run_one(environment, execution),
                tools,
                goal=f"a proven service on {self.title}",
                command_line=self.request.command_line,
            )
            names, verb = list_names([each.name for each in self.environments]), "runs"
            if len(self.environments) > 1:
                verb = "run"
            return Outcome(text=f"{names} {verb} on {self._old_title} and on {self.title}")

        return Change(
            title=f"move {join_names(self.environments)} to {self.title}",
            environments=self.environments,
            run=run,
            question=self._question(tools),
            verifies=True,
        )

    @property
    def _old_title(self) -> str:
        return self.environments[0].kind.title

    def _question(self, tools: Tools) -> str:
        """Return what to ask: nothing, if no service has to be created."""
        missing = [plan for plan in self.plans if waiting.find_service(plan.new_environment, tools) is None]
        names = list_names([plan.definition.name for plan in missing])
        return f"create {names} in {self.title}" if missing else ""

    def _run_one(self, environment: Environment, execution: Execution) -> None:
        plan = next(plan for plan in self.plans if plan.environment == environment)
        flow = creation_flow(plan, self.request.command_line)
        run_flow(flow, plan.release, execution.tools, execution.execute)


def plan_migration(environments: Sequence[Environment], request: MigrationRequest, tools: Tools) -> MigrationPlan:
    """Return what has to be done for environments whose configuration names their old services.

    Raises:
        UsageError: an environment is on another platform than the one that can be left.
        Refused: it could not work.
    """
    tools.identity.account_id()  # nothing is read from a wrong account
    for environment in environments:
        require_source(environment)
    plans = map_parallel(
        lambda environment: plan_environment(environment, request, tools),
        environments,
        max_workers=MAX_CONCURRENT_PLANS,
    )
    return MigrationPlan(request=request, plans=plans)


def require_source(environment: Environment) -> None:
    """Require that an environment is on App Runner, and is to leave it.

    Raises:
        UsageError: it is not.
    """
    if environment.platform != "apprunner":
        title = environment.kind.title
        raise UsageError(
            f"{environment.name} is on {title}, and only services of App Runner can be moved",
            state=NOTHING_CHANGED,
            hint=f"see where it runs: inv status --env {environment.name}",
        )


def require_all_possible(plan: MigrationPlan, tools: Tools) -> None:
    """Refuse migrations that could not work.

    Raises:
        Refused: for what is missing.
    """
    for each in plan.plans:
        require_possible(each, plan.request, tools)


def has_moved(environment: Environment, tools: Tools) -> bool:
    """Return whether the configuration of an environment names the new service of a migration that is under way."""
    migration = read_migration(environment, tools)
    return migration is not None and migration.has_moved(environment)
