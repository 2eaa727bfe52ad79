"""The metrics as OpenMetrics text: https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.metrics.changes import Failure

if TYPE_CHECKING:
    from kaizen_tasks.domain.metrics.summary import Metrics

Samples = Iterator[tuple[Mapping[str, str], float]]


@frozen
class _Family:
    """One metric family: a gauge, as a number falls when the span moves on.

    Attributes:
        name: its name behind `kaizen_stage_` or `kaizen_environment_`; it ends with its unit, if it has one.
        help: what it is.
        unit: its base unit, or empty.
    """

    name: str
    help: str
    unit: str = ""


_FAMILIES = (
    _Family("span_seconds", "Length of the span that is known", "seconds"),
    _Family("deployments", "Releases that were verified for the first time in the span"),
    _Family("lead_time_seconds", "Median time from a commit to its verification", "seconds"),
    _Family("lead_time_commits", "Commits that the median lead time is of"),
    _Family("changes", "Releases that were first known to work or to fail in the span"),
    _Family("failed_changes", "Changes that failed, by reason"),
    _Family("change_failure_ratio", "Part of the changes that failed", "ratio"),
    _Family("restore_time_seconds", "Median time from a failure to the next verification", "seconds"),
    _Family("restored_incidents", "Incidents that ended in the span"),
    _Family("open_incidents", "Incidents that go on"),
    _Family("open_incident_seconds", "Age of the oldest incident that goes on", "seconds"),
)


def to_openmetrics(app: str, metrics: Sequence[Metrics]) -> str:
    """Return the metrics as a document of gauges, without timestamps: what is unknown has no sample.

    Stages and groups are `kaizen_stage_…`, the members of groups `kaizen_environment_…`, so that a sum over either
    counts nothing twice.

    Args:
        app: the app's name, a label of every sample.
        metrics: those of stages, groups and environments.
    """
    members = [each for each in metrics if each.group]
    stages = [each for each in metrics if not each.group]
    return "".join((*_lines("kaizen_stage_", app, stages), *_lines("kaizen_environment_", app, members), "# EOF\n"))


def _lines(prefix: str, app: str, metrics: Sequence[Metrics]) -> Iterator[str]:
    for family in _FAMILIES:
        samples = [
            f"{prefix}{family.name}{{{_labels({'app': app, **_identity(each), **labels})}}} {value!r}\n"
            for each in metrics
            for labels, value in _samples(family.name, each)
        ]
        if samples:
            yield f"# TYPE {prefix}{family.name} gauge\n"
            if family.unit:
                yield f"# UNIT {prefix}{family.name} {family.unit}\n"
            yield f"# HELP {prefix}{family.name} {family.help}.\n"
            yield from samples


def _identity(metrics: Metrics) -> Mapping[str, str]:
    return {"group": metrics.group, "environment": metrics.name} if metrics.group else {"stage": metrics.name}


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _samples(name: str, metrics: Metrics) -> Samples:
    """Yield the samples of a family as labels and a value; none for a value that is unknown."""
    if metrics.begin is None:
        return
    if name == "failed_changes":
        for reason in Failure:
            yield {"reason": str(reason)}, metrics.failures.get(reason, 0)
        return
    values: Mapping[str, float | None] = {
        "span_seconds": (metrics.end - metrics.begin).total_seconds(),
        "deployments": metrics.deployments,
        "lead_time_seconds": metrics.lead_time.median_seconds,
        "lead_time_commits": metrics.lead_time.count if metrics.lead_time_releases else None,
        "changes": metrics.changes,
        "change_failure_ratio": metrics.change_failure_rate,
        "restore_time_seconds": metrics.restore.median_seconds,
        "restored_incidents": metrics.restore.count,
        "open_incidents": len(metrics.open_incidents),
        "open_incident_seconds": max((each.seconds(metrics.end) for each in metrics.open_incidents), default=None),
    }
    value = values[name]
    if value is not None:
        yield {}, value
