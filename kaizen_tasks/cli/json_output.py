"""The JSON documents that `--json` prints, as the command-line contract defines them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import LedgerEntry, RollbackCandidate
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.migration.second_service import SecondService
from kaizen_tasks.domain.release_record import ReleaseRecord
from kaizen_tasks.domain.status import EnvironmentStatus
from kaizen_tasks.domain.text.printable import escape_for_encoding, escape_json

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem

Document = dict[str, Any]


def status_document(
    settings: Settings, statuses: Iterable[EnvironmentStatus], now: datetime, *, since: datetime | None = None
) -> Document:
    """Return the document of `status --json`, as the command-line contract has it, with the time of `--since`."""
    return {
        "app": settings.app,
        "at": now.isoformat(),
        **({"since": since.isoformat()} if since else {}),
        "environments": {
            status.environment.name: environment_document(status, now, has_lines=bool(settings.lines))
            for status in statuses
        },
    }


def release_document(
    settings: Settings,
    name: str,
    records: Mapping[str, ReleaseRecord],
    statuses: Sequence[EnvironmentStatus],
    now: datetime,
) -> Document:
    """Return the document of `status --release`: that of `status`, with what became of the release in each environment.

    Args:
        settings: the configuration.
        name: the release: `v1.2.3`.
        records: what became of it, by environment.
        statuses: the status of these environments.
        now: when they were asked.
    """
    document = status_document(settings, statuses, now)
    for status in statuses:
        record, environment = records[status.environment.name], document["environments"][status.environment.name]
        environment["release"] = _release_record_document(record, is_running=status.version_report.version == name)
    return {**document, "release": name}


def _release_record_document(record: ReleaseRecord, *, is_running: bool) -> Document:
    return {
        "running": is_running,
        "outcome": record.outcome,
        "first": entry_document(record.deployment.first),
        "last": entry_document(record.deployment.last),
        "withdrawal": entry_document(record.withdrawal) if record.withdrawal else None,
        "successor": entry_document(record.successor) if record.successor else None,
    }


def environment_document(status: EnvironmentStatus, now: datetime, *, has_lines: bool) -> Document:
    """Return the status of an environment as JSON, with its line if the app has any."""
    return {
        "repository": status.environment.repository,
        "service": status.environment.service,
        "url": status.url,
        "image_tag": (status.followed_image.version or None) if status.followed_image else None,
        "digest": status.followed_image.digest if status.followed_image else None,
        **({} if status.environment.follows_tag else {"running_digest": status.running_digest or None}),
        "running": {
            "version": status.version_report.version or None,
            "environment": status.version_report.environment or None,
        },
        "ledger": entry_document(status.last_entry) if status.last_entry else None,
        **lock_and_hold_document(status.lock, status.hold, now),
        **({"line": status.line or None} if has_lines else {}),
        **({"second_service": _second_service_document(status.second_service)} if status.second_service else {}),
        "state": str(status.state),
        "drift": list(status.drift),
    }


def _second_service_document(second: SecondService) -> Document:
    """Return the service that the configuration does not name, while an environment moves, as JSON."""
    return {
        "platform": second.migration.platform if second.is_new else "apprunner",
        "service": second.name,
        "url": second.url or None,
        "running": {"version": second.report.version or None, "environment": second.report.environment or None},
        "paused": second.migration.is_retired,
        "since": second.migration.since.isoformat(),
    }


def entry_document(entry: LedgerEntry) -> Document:
    """Return a ledger entry as JSON."""
    return {
        "environment": entry.environment,
        "event": entry.event_name,
        "version": entry.version,
        "commit": entry.commit,
        "digest": entry.digest,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "run": entry.run_url or None,
        "operation": entry.operation or None,
        "took": entry.took or None,
        "reason": entry.reason or None,
        "configuration": entry.configuration or None,
        "command": entry.command or None,
    }


def lock_and_hold_document(lock: Lock | None, hold: Hold | None, now: datetime) -> Document:
    """Return the lock and the hold of an environment as JSON."""
    return {"lock": _lock_document(lock, now) if lock else None, "hold": _hold_document(hold) if hold else None}


def _lock_document(lock: Lock, now: datetime) -> Document:
    """Return a lock as JSON; its token, which would allow others to act as its owner, is left out."""
    return {
        "actor": lock.actor,
        "run": lock.run_url or None,
        "command": lock.command or None,
        "reason": lock.reason or None,
        "since": lock.since.isoformat(),
        "expires": lock.expires.isoformat() if lock.expires else None,
        "expired": lock.seems_expired(now),
        "manual": lock.is_manual,
        "fence": lock.fence,
    }


def _hold_document(hold: Hold) -> Document:
    return {
        "actor": hold.actor,
        "run": hold.run_url or None,
        "reason": hold.reason,
        "since": hold.since.isoformat(),
        "until": hold.until.isoformat() if hold.until else None,
    }


def candidate_document(candidate: RollbackCandidate) -> Document:
    """Return the JSON document of a release that can be rolled back to."""
    obstacle = candidate.obstacle
    return {
        **entry_document(candidate.entry),
        "exists": candidate.image_exists,
        "image_in": candidate.image_environment or None,
        "behind": {"command": obstacle.command, "version": obstacle.version} if obstacle else None,
    }


def problem_document(problem: LintProblem, *, path: str) -> Document:
    """Return a problem as JSON.

    Args:
        problem: the problem, of the changelog or of a fragment.
        path: path of the changelog.
    """
    return {
        "file": problem.path or path,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
        "severity": problem.severity,
        "what": problem.message,
        "fix": problem.fix,
    }


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    write_document(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_json_line(document: object) -> None:
    """Print a JSON document as one line, and flush it: others follow."""
    write_document(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def write_document(document: str) -> None:
    """Print a JSON document on stdout, with escapes for the characters that its encoding lacks."""
    sys.stdout.write(escape_for_encoding(escape_json(document), sys.stdout.encoding or "utf-8"))
