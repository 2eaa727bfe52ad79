"""Describes new services in Terraform: those that exist are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.migration.terraform import TerraformRequest, render_terraform
from kaizen_tasks.flows.migration import waiting

if TYPE_CHECKING:
    from kaizen_tasks.flows.migration.migrate import MigrationPlan
    from kaizen_tasks.ports.tools import Tools


def describe(plan: MigrationPlan, tools: Tools) -> str:
    """Return Terraform for all new services; roles that nobody has named are described too."""
    choices = plan.request.choices
    return render_terraform(
        [
            TerraformRequest(
                environment=each.environment.name,
                source=each.source,
                definition=each.definition,
                creates_execution_role=not choices.execution_role,
                creates_infrastructure_role=not choices.infrastructure_role,
                existing_id=each.new_id if waiting.find_service(each.new_environment, tools) else "",
            )
            for each in plan.plans
        ]
    )
