"""The JSON document of `dashboard --json`, which has everything that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.cli.json_output import Document, environment_document
from kaizen_tasks.cli.metrics_document import scope_document
from kaizen_tasks.domain.changelog.render.sections import release_document

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.dashboard.model import Candidate, Dashboard, EnvironmentView, ReleaseView, StageReach
    from kaizen_tasks.domain.dashboard.timeline import Bar


def dashboard_document(board: Dashboard, settings: Settings) -> Document:
    """Return the document of `dashboard --json`."""
    views = board.environments
    has_lines = bool(settings.lines)
    return {
        "app": board.app,
        "at": board.at.isoformat(),
        "since": board.since.isoformat(),
        "stages": [
            {
                "name": stage.name or None,
                "environments": [environment.name for environment in stage.environments],
                "next": _candidate_document(stage.candidate) if stage.candidate else None,
            }
            for stage in board.stages
        ],
        "environments": {
            view.name: {
                **environment_document(view.status, board.at, has_lines=has_lines),
                "serving": _serving_document(view),
                "notes": list(view.status.notes),
            }
            for view in views
        },
        "timeline": {
            view.name: {
                "error": view.lane.error or None,
                "deployments": [_bar_document(bar) for bar in view.lane.bars],
            }
            for view in views
        },
        "metrics": {metrics.name: scope_document(metrics) for metrics in board.metrics},
        "missing": list(board.metrics_gaps),
        "releases": [_release_document(release) for release in board.releases],
        "unreleased": release_document(board.unreleased) if board.unreleased else None,
        "errors": list(board.errors),
    }


def _candidate_document(candidate: Candidate) -> Document:
    return {
        "task": candidate.task,
        "source": candidate.source or None,
        "release": candidate.release or None,
        "digest": candidate.digest or None,
        "environments": list(candidate.environments),
        "held": list(candidate.held),
        "back_from": candidate.step_back or None,
        "ready": candidate.is_ready,
        "obstacle": candidate.obstacle or None,
    }


def _serving_document(view: EnvironmentView) -> Document | None:
    """Return which release serves by the ledger; null if it is unknown, or the app reports another one."""
    bar = view.serving
    if bar is None:
        return None
    return {"version": bar.version, "since": bar.start.isoformat(), "actor": bar.actor, "run": bar.run_url or None}


def _bar_document(bar: Bar) -> Document:
    return {
        "version": bar.version,
        "commit": bar.commit,
        "digest": bar.digest,
        "outcome": str(bar.outcome),
        "start": bar.start.isoformat(),
        "end": bar.end.isoformat() if bar.end else None,
        "serving": bar.is_serving,
        "took": bar.seconds,
        "actor": bar.actor,
        "run": bar.run_url or None,
        "reason": bar.reason or None,
        "undone": bar.undone or None,
    }


def _release_document(release: ReleaseView) -> Document:
    return {
        "version": release.name,
        "notes": release_document(release.section) if release.section else None,
        "stages": [_reach_document(reach) for reach in release.stages],
    }


def _reach_document(reach: StageReach) -> Document:
    return {
        "stage": reach.stage or None,
        "first": reach.first_at.isoformat(),
        "serving": reach.serving,
        "served": reach.served,
        "failed": reach.failed,
        "rolled_back": reach.rolled_back,
        "environments": reach.total,
    }
