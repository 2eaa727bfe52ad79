"""The JSON document of `metrics --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.metrics.changes import Failure
from kaizen_tasks.domain.metrics.series import Week, by_week

if TYPE_CHECKING:
    from datetime import datetime

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.metrics.changes import Incident
    from kaizen_tasks.domain.metrics.summary import Metrics, ReleaseValues
    from kaizen_tasks.flows.views.metrics import MetricsReport

Document = dict[str, Any]


def metrics_document(settings: Settings, report: MetricsReport) -> Document:
    """Return the document of `metrics --json`; what is unknown is null."""
    return {
        "app": settings.app,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "missing": list(report.problems),
        "metrics": {metrics.name: scope_document(metrics) for metrics in report.metrics},
    }


def scope_document(metrics: Metrics) -> Document:
    """Return the metrics of a stage, group or environment as JSON."""
    is_known = metrics.begin is not None
    return {
        "group": metrics.group or None,
        "environments": list(metrics.environments),
        "begin": metrics.begin.isoformat() if metrics.begin else None,
        "deployments": {"count": metrics.deployments, "per_week": metrics.deployments_per_week},
        "lead_time": {
            "median_seconds": metrics.lead_time.median_seconds,
            "commits": metrics.lead_time.count if is_known else None,
            "deployments": metrics.lead_time_releases if is_known else None,
        },
        "change_failure": {
            "rate": metrics.change_failure_rate,
            "changes": metrics.changes,
            "failed": metrics.failed,
            "reasons": {str(reason): metrics.failures.get(reason, 0) for reason in Failure} if is_known else None,
        },
        "restore": {
            "median_seconds": metrics.restore.median_seconds,
            "incidents": metrics.restore.count if is_known else None,
            "open": [_incident_document(incident, metrics.end) for incident in metrics.open_incidents],
        },
        "unfinished": metrics.unfinished if is_known else None,
        "weeks": [_week_document(week) for week in by_week(metrics)],
        "releases": [_release_document(release) for release in metrics.releases],
    }


def _incident_document(incident: Incident, now: datetime) -> Document:
    return {
        "environment": incident.environment,
        "version": incident.version,
        "reason": str(incident.failure),
        "since": incident.begun_at.isoformat(),
        "seconds": incident.seconds(now),
    }


def _week_document(week: Week) -> Document:
    return {
        "begin": week.begin.date().isoformat(),
        "deployments": week.deployments,
        "changes": week.changes,
        "failed": week.failed,
        "lead_time_seconds": week.lead_time.median_seconds,
        "restore_seconds": week.restore.median_seconds,
    }


def _release_document(release: ReleaseValues) -> Document:
    return {
        "version": release.version,
        "decided": release.decided_at.isoformat(),
        "verified": release.verified_at.isoformat() if release.verified_at else None,
        "failure": str(release.failure) if release.failure else None,
        "lead_time_seconds": release.lead_time.median_seconds,
        "restore_seconds": release.restore_seconds,
    }
