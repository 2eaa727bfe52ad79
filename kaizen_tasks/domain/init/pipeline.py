"""The order in which a release reaches environments, told from their names and from what stands for several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDER = (
    frozenset({"dev", "develop", "development"}),
    frozenset({"qa", "test", "testing"}),
    frozenset({"stage", "staging", "stg"}),
    frozenset({"pre-prod", "preprod", "uat"}),
    frozenset({"live", "prd", "prod", "production"}),
)
"""Names that say how far from users an environment is."""

LIVE = ORDER[-1]
TENANTS = "tenants"


@frozen(kw_only=True)
class Stages:
    """A pipeline.

    Attributes:
        pipeline: environments and groups, in order.
        groups: environments by the name that stands for them.
    """

    pipeline: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]


def arrange(environments: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Stages:
    """Put environments in order; those whose names say nothing are tenants, who come last.

    Args:
        environments: their names.
        groups: what stands for several of them; one that holds more than tenants is left out, as is one that overlaps.
    """
    ranked = sorted((name for name in environments if rank(name) is not None), key=lambda name: rank(name) or 0)
    tenants = [name for name in environments if rank(name) is None]
    kept = _disjoint(groups, tenants)
    if not kept and len(tenants) > 1 and TENANTS not in environments:
        kept = {TENANTS: tuple(tenants)}
    alone = [] if kept else tenants
    return Stages(pipeline=(*ranked, *kept, *alone), groups=kept)


def ordered(environments: Sequence[str], arranged: Stages) -> tuple[str, ...]:
    """Return environments in the order in which a release reaches them; one outside the pipeline comes last."""
    reached = (name for stage in arranged.pipeline for name in arranged.groups.get(stage, (stage,)))
    return tuple(dict.fromkeys((*reached, *environments)))


def rank(name: str) -> int | None:
    """Return how near to users an environment is by its name; None when that says nothing."""
    return next((place for place, names in enumerate(ORDER) if name.lower() in names), None)


def _disjoint(groups: Mapping[str, Sequence[str]], tenants: Sequence[str]) -> dict[str, tuple[str, ...]]:
    kept: dict[str, tuple[str, ...]] = {}
    for name, members in groups.items():
        taken = {member for others in kept.values() for member in others}
        if name not in tenants and set(members) <= set(tenants) - taken:
            kept[name] = tuple(members)
    return kept
