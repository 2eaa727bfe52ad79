"""Status and history for programs: the JSON documents of the command-line contract."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.changelog import Problem
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.domain.ledger import Candidate, Entry
    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.domain.runtime_config import Seen
    from kaizen_tasks.domain.status import Row

Document = dict[str, Any]  # JSON, on its way out


def status_document(settings: Settings, rows: Iterable[Row], now: datetime) -> Document:
    """Return the document of `status --json`, as the command-line contract has it."""
    return {
        "app": settings.app,
        "at": now.isoformat(),
        "environments": {row.environment.name: _row(row, now) for row in rows},
    }


def _row(row: Row, now: datetime) -> Document:
    return {
        "repository": row.environment.repository,
        "service": row.environment.service,
        "url": row.url,
        "image_tag": (row.latest.version or None) if row.latest else None,
        "digest": row.latest.digest if row.latest else None,
        "running": {"version": row.running.version or None, "environment": row.running.environment or None},
        "ledger": entry_document(row.entry) if row.entry else None,
        **standing_document(row.lock, row.hold, now),
        "drift": list(row.drift),
    }


def entry_document(entry: Entry) -> Document:
    """Return a ledger entry as JSON."""
    return {
        "environment": entry.environment,
        "event": str(entry.event),
        "version": entry.version,
        "commit": entry.commit,
        "digest": entry.digest,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "operation": entry.operation or None,
        "took": entry.took or None,
        "reason": entry.reason or None,
        "configuration": entry.configuration or None,
    }


def standing_document(lock: Lock | None, hold: Hold | None, now: datetime) -> Document:
    """Return what keeps others away from an environment as JSON."""
    return {"lock": _lock(lock, now) if lock else None, "hold": _hold(hold) if hold else None}


def _lock(lock: Lock, now: datetime) -> Document:
    """Return a lock as JSON; its token, which would allow others to act as its owner, is left out."""
    return {
        "actor": lock.actor,
        "command": lock.command or None,
        "reason": lock.reason or None,
        "since": lock.since.isoformat(),
        "expires": lock.expires.isoformat() if lock.expires else None,
        "expired": lock.expired(now),
        "manual": lock.manual,
        "fence": lock.fence,
    }


def _hold(hold: Hold) -> Document:
    """Return a hold as JSON."""
    return {
        "actor": hold.actor,
        "reason": hold.reason,
        "since": hold.since.isoformat(),
        "until": hold.until.isoformat() if hold.until else None,
    }


def candidate_document(candidate: Candidate) -> Document:
    """Return a release that can be gone back to as JSON."""
    return {**entry_document(candidate.entry), "exists": candidate.exists}


def runtime_document(settings: Settings, seen: Iterable[Seen]) -> Document:
    """Return the document of `runtime.show --json`; a value that is a secret is null."""
    return {"app": settings.app, "environments": {each.environment.name: _runtime(each, settings) for each in seen}}


def _runtime(seen: Seen, settings: Settings) -> Document:
    written = seen.written.isoformat()
    return {
        "secret": seen.environment.secret,
        "version": seen.version,
        "written": written,
        "keys": {
            name: {"value": _visible(seen, name, settings), "written": written if seen.is_new(name) else None}
            for name in seen.configuration.names
        },
    }


def _visible(seen: Seen, name: str, settings: Settings) -> str | None:
    return seen.configuration.value(name) if name in settings.runtime.visible else None


def runtime_difference(settings: Settings, one: Seen, other: Seen) -> Document:
    """Return the document of `runtime.diff --json`; a value that is a secret is null."""
    from kaizen_tasks.domain import runtime_config

    names = runtime_config.comparison(one.configuration, other.configuration, settings.runtime)
    return {
        "app": settings.app,
        "compared": [one.environment.name, other.environment.name],
        "keys": {
            name: {
                "same": same,
                "visible": name in settings.runtime.visible,
                "values": [_visible(one, name, settings), _visible(other, name, settings)],
            }
            for name, same in names.items()
        },
    }


def problem_document(problem: Problem) -> Document:
    """Return a problem of the changelog as JSON."""
    return {
        "file": "CHANGELOG.md",
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
        "what": problem.what,
        "fix": problem.fix,
    }


def print_sarif(problems: Iterable[Problem]) -> None:
    """Print problems of the changelog as a SARIF document on stdout."""
    from kaizen_tasks.domain.changelog import sarif

    sys.stdout.write(sarif(problems, path="CHANGELOG.md"))


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_json_line(document: object) -> None:
    """Print one JSON document on a line of its own at once: there will be others."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
