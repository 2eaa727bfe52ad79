"""Dashboards for tests: a landscape with its history, as large as wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.dashboard.model import Candidate, Dashboard, EnvironmentView, StageView
from kaizen_tasks.domain.dashboard.releases import make_releases
from kaizen_tasks.domain.dashboard.timeline import Lane, make_bars
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.status import EnvironmentStatus

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=90)
RUN = "https://ci.example/runs"
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Reports by mail

## [0.2.0] - 2026-11-18

### Fixed

- A **typo**, see [the manual](docs/manual.md) and [the page](https://example.com/page)

| a | b |
| --- | ---: |
| 1 | 2 |

- [x] done
- [ ] to do

## [0.1.0] - 2026-11-01

### Added

- Everything
"""


def digest(version: str) -> str:
    """Return the digest of a release."""
    return f"sha256:{version.encode().hex():0<64}"


def entry(environment: str, event: Event, version: str, at: datetime, **fields: str) -> LedgerEntry:
    """Return an entry of the ledger."""
    values: dict[str, Any] = {"actor": "ada", "run_url": f"{RUN}/{version}", **fields}
    return LedgerEntry(
        environment=environment, event=event, version=version, commit="c" * 40, digest=digest(version), at=at, **values
    )


def view(name: str, entries: list[LedgerEntry], **changes: object) -> EnvironmentView:
    """Return an environment of the landscape, which runs the release of its last entry.

    Args:
        name: its name.
        entries: oldest first.
        changes: fields of its status.
    """
    last = entries[-1] if entries else None
    values: dict[str, Any] = {
        "environment": Environment(name=name, platform="apprunner", repository=f"{name}-app", service=name),
        "url": f"https://{name}.example",
        "followed_image": Image(digest=last.digest, media_type="", version=last.version) if last else None,
        "version_report": VersionReport(version=last.version if last else "", environment=name),
        "last_entry": last,
        **changes,
    }
    bars = make_bars(entries[::-1], since=SINCE)
    return EnvironmentView(
        status=EnvironmentStatus(**values),
        lane=Lane(environment=name, bars=bars),
    )


def released(environment: str, version: str, at: datetime, **fields: str) -> list[LedgerEntry]:
    """Return the entries of a release that was verified, oldest first."""
    later = at + timedelta(minutes=2)
    return [
        entry(environment, Event.STARTED, version, at, **fields),
        entry(environment, Event.VERIFIED, version, later, **fields),
    ]


def board(*, changelog: str = CHANGELOG, text: str = "", url: str = RUN) -> Dashboard:
    """Return a dashboard of staging, prod and two tenants, with one of everything.

    Args:
        changelog: the changelog.
        text: stands in every text of others: reasons, actors, errors.
        url: the address of every CI run.
    """
    first, second = NOW - timedelta(days=19), NOW - timedelta(days=2)
    fields = {"actor": f"ada{text}", "reason": f"on time{text}", "run_url": url}
    staging = [
        *released("staging", "v0.1.0", first, **fields),
        *released("staging", "v0.2.0", second, **fields),
        entry("staging", Event.STARTED, "v0.3.0", NOW - timedelta(hours=2), **fields),
        entry("staging", Event.FAILED, "v0.3.0", NOW - timedelta(hours=1), **fields),
    ]
    prod = [
        *released("prod", "v0.1.0", first, **fields),
        *released("prod", "v0.2.0", second, **fields),
        entry("prod", Event.ROLLBACK, "v0.1.0", NOW - timedelta(days=1), **fields),
        *released("prod", "v0.1.0", NOW - timedelta(days=1), **fields),
    ]
    since = NOW - timedelta(hours=3)
    hold = Hold(environment="mark", reason=f"busy{text}", actor=f"eve{text}", since=since)
    lock = Lock(environment="prod", token="t", actor=f"eve{text}", command="promote-prod", since=since, expires=None)
    mark = view("mark", released("mark", "v0.1.0", first, **fields), hold=hold)
    dom = view("dom", [], version_report=VersionReport(error="has no address"), url="", errors=(f"denied{text}",))
    candidate = Candidate(
        task="promote-prod", source="staging", release="v0.2.0", digest=digest("v0.2.0"), environments=("prod",)
    )
    stages = (
        StageView(name="staging", is_group=False, environments=(view("staging", staging),)),
        StageView(name="prod", is_group=False, environments=(view("prod", prod, lock=lock),), candidate=candidate),
        StageView(
            name="beta",
            is_group=True,
            environments=(mark, dom),
            candidate=Candidate(task="promote-beta", obstacle=f"v0.1.0 failed{text}"),
        ),
    )
    log = parse_changelog(changelog.encode())
    return Dashboard(
        app="web",
        at=NOW,
        since=SINCE,
        stages=stages,
        releases=make_releases(log, stages, since=SINCE),
        changelog=log,
        links_base="https://git.example/team/web/blob/HEAD/",
        unreleased=log.unreleased,
        errors=(f"half of it{text}",) if text else (),
    )


def large_board(*, environments: int, releases: int, to_all: bool, reason: str = "") -> Dashboard:
    """Return a dashboard of many environments and releases.

    Args:
        environments: how many; the first is staging, the others are a group of tenants.
        releases: how many there are in all.
        to_all: whether every release went to every environment, or each one to one of them.
        reason: why each was deployed.
    """
    names = ["staging", *(f"tenant-{number:03}" for number in range(1, environments))]
    entries: dict[str, list[LedgerEntry]] = {name: [] for name in names}
    sections = []
    for number in range(releases):
        version, at = f"v1.{number}.0", SINCE + (NOW - SINCE) / (releases + 1) * (number + 1)
        for name in names if to_all else (names[number % environments],):
            run_url = f"https://github.com/a-team/the-app/actions/runs/{number}"
            entries[name] += released(name, version, at, run_url=run_url, reason=reason)
        notes = "- A change that takes a line to tell, as they do\n- Another one, with [a link](https://example.com)\n"
        sections.append(f"## [1.{number}.0] - {at:%Y-%m-%d}\n\n### Added\n\n{notes}\n")
    log = parse_changelog(("# Changelog\n\n## [Unreleased]\n\n" + "".join(reversed(sections))).encode())
    views = [view(name, entries[name]) for name in names]
    stages = (
        StageView(name="staging", is_group=False, environments=(views[0],)),
        StageView(
            name="tenants",
            is_group=True,
            environments=tuple(views[1:]),
            candidate=Candidate(task="promote-tenants", source="staging", release="v1.1.0", environments=tuple(names)),
        ),
    )
    found = make_releases(log, stages, since=SINCE)
    return Dashboard(app="web", at=NOW, since=SINCE, stages=stages, releases=found, changelog=log)
