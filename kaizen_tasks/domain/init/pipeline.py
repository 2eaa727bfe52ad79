"""Infers the order of the pipeline from the names and groups of environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

STAGE_NAMES_BY_RANK = (
    frozenset({"dev", "develop", "development"}),
    frozenset({"qa", "test", "testing"}),
    frozenset({"stage", "staging", "stg"}),
    frozenset({"pre-prod", "preprod", "uat"}),
    frozenset({"live", "prd", "prod", "production"}),
)
"""Conventional names of stages, the furthest from users first."""

PRODUCTION_NAMES = STAGE_NAMES_BY_RANK[-1]
TENANT_GROUP_NAME = "tenants"


@frozen(kw_only=True)
class Pipeline:
    """The pipeline through which a release goes.

    Attributes:
        stages: names of environments and groups, in order.
        groups: environments by the name of their group.
    """

    stages: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]


def infer_pipeline(environments: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Pipeline:
    """Return environments as a pipeline; those without a conventional name are tenants, which come last.

    Args:
        environments: names of the environments.
        groups: possible groups; those that contain other than tenants, or overlap with another one, are left out.
    """
    ranks = {name: stage_rank(name) for name in environments}
    tenants = [name for name, rank in ranks.items() if rank is None]
    stages = sorted((name for name in environments if name not in tenants), key=lambda name: ranks[name] or 0)
    tenant_groups = _disjoint_groups(groups, tenants)
    if not tenant_groups and len(tenants) > 1 and TENANT_GROUP_NAME not in environments:
        tenant_groups = {TENANT_GROUP_NAME: tuple(tenants)}
    return Pipeline(stages=(*stages, *(tenant_groups or tenants)), groups=tenant_groups)


def sort_environments(environments: Sequence[str], pipeline: Pipeline) -> tuple[str, ...]:
    """Return environments in the order in which a release reaches them; those outside the pipeline come last."""
    pipeline_environments = (name for stage in pipeline.stages for name in pipeline.groups.get(stage, (stage,)))
    return tuple(dict.fromkeys((*pipeline_environments, *environments)))


def stage_rank(name: str) -> int | None:
    """Return the position of a conventional name in the pipeline, nearest to users highest; None for another name."""
    return next((rank for rank, names in enumerate(STAGE_NAMES_BY_RANK) if name.lower() in names), None)


def _disjoint_groups(groups: Mapping[str, Sequence[str]], tenants: Sequence[str]) -> dict[str, tuple[str, ...]]:
    disjoint_groups: dict[str, tuple[str, ...]] = {}
    ungrouped_tenants = set(tenants)
    for name, members in groups.items():
        if name not in tenants and set(members) <= ungrouped_tenants:
            disjoint_groups[name] = tuple(members)
            ungrouped_tenants -= set(members)
    return disjoint_groups
