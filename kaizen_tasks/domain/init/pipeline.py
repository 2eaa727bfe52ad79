"""The order in which a release reaches environments, told from their names and from what stands for several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

STAGE_NAMES_BY_RANK = (
    frozenset({"dev", "develop", "development"}),
    frozenset({"qa", "test", "testing"}),
    frozenset({"stage", "staging", "stg"}),
    frozenset({"pre-prod", "preprod", "uat"}),
    frozenset({"live", "prd", "prod", "production"}),
)
"""Names that say how far from users an environment is."""

PRODUCTION_NAMES = STAGE_NAMES_BY_RANK[-1]
TENANT_GROUP_NAME = "tenants"


@frozen(kw_only=True)
class Pipeline:
    """A pipeline.

    Attributes:
        stages: environments and groups, in order.
        groups: environments by the name that stands for them.
    """

    stages: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]


def infer_pipeline(environments: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Pipeline:
    """Put environments in order; those whose names say nothing are tenants, who come last.

    Args:
        environments: their names.
        groups: what stands for several of them; one that holds more than tenants is left out, as is one that overlaps.
    """
    conventional_stages = sorted(
        (name for name in environments if stage_rank(name) is not None), key=lambda name: stage_rank(name) or 0
    )
    tenants = [name for name in environments if stage_rank(name) is None]
    tenant_groups = _disjoint_groups(groups, tenants)
    if not tenant_groups and len(tenants) > 1 and TENANT_GROUP_NAME not in environments:
        tenant_groups = {TENANT_GROUP_NAME: tuple(tenants)}
    ungrouped_tenants = [] if tenant_groups else tenants
    return Pipeline(stages=(*conventional_stages, *tenant_groups, *ungrouped_tenants), groups=tenant_groups)


def sort_environments(environments: Sequence[str], pipeline: Pipeline) -> tuple[str, ...]:
    """Return environments in the order in which a release reaches them; one outside the pipeline comes last."""
    pipeline_environments = (name for stage in pipeline.stages for name in pipeline.groups.get(stage, (stage,)))
    return tuple(dict.fromkeys((*pipeline_environments, *environments)))


def stage_rank(name: str) -> int | None:
    """Return how near to users an environment is by its name; None when that says nothing."""
    return next((index for index, names in enumerate(STAGE_NAMES_BY_RANK) if name.lower() in names), None)


def _disjoint_groups(groups: Mapping[str, Sequence[str]], tenants: Sequence[str]) -> dict[str, tuple[str, ...]]:
    disjoint_groups: dict[str, tuple[str, ...]] = {}
    for name, members in groups.items():
        grouped_tenants = {member for group_members in disjoint_groups.values() for member in group_members}
        if name not in tenants and set(members) <= set(tenants) - grouped_tenants:
            disjoint_groups[name] = tuple(members)
    return disjoint_groups
