"""OpenMetrics text as the parser of Prometheus' own client reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from prometheus_client import Metric


def parse(text: str) -> dict[str, Metric]:
    """Return the metric families of a document by name."""
    return {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
