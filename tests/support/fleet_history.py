"""A scripted history of an app with many environments: releases, failures, rollbacks, holds and hostile texts."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.adapters.aws.dynamodb.entry_items import entry_item
from kaizen_tasks.adapters.aws.dynamodb.holds import _key as hold_key
from kaizen_tasks.adapters.aws.dynamodb.items import attributes
from kaizen_tasks.adapters.aws.dynamodb.recent_items import RecentItems
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from tests.fakes.clock import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INTERVAL = timedelta(hours=2)
"""Between two releases: a thousand of them take 83 days."""

COMMIT_AGE_SECONDS = 1800
"""Age of a release commit when its release begins."""

HOSTILE_TEXTS = (
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</script></style></title></textarea><svg onload=document.title='owned'>",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- ",
    "\u202etxet desrever\u202c \u2028 \U0001f680 é",
    "a" * 400,
)
"""What may stand in reasons, names of people and changelogs."""

HOSTILE_ADDRESS = "javascript:document.title='owned'"
REASONS = (
    "the container exited with code 1",
    "/version reports v0.0.9 in staging, not the release",
    "three of five smoke checks failed: / answers 502",
    *HOSTILE_TEXTS,
)
ACTORS = ("ada@laptop", "grace", "linus", "<b>eve</b>@\"laptop'")
RUN_URLS = ("https://ci.example/runs/17", "", HOSTILE_ADDRESS)
FAILED_DEPLOYMENT, FAILED_VERIFICATION = (23, 7), (17, 3)
"""Divisor and remainder of the numbers of deployments that fail in these ways."""


@frozen(kw_only=True)
class FleetHistory:
    """The history.

    Attributes:
        environments: names, `staging` first.
        entries: the ledger's entries by environment, newest first.
        holds: the active holds.
        commits: hashes of the release commits, oldest first.
        changelog: the changelog, with a section for each release.
        now: the time at its end.
    """

    environments: tuple[str, ...]
    entries: Mapping[str, tuple[LedgerEntry, ...]]
    holds: tuple[Hold, ...]
    commits: tuple[str, ...]
    changelog: bytes
    now: datetime


def fleet_history(
    *,
    environments: int = 100,
    releases: int = 1000,
    everywhere: bool = False,
    commits: Sequence[str] = (),
    now: datetime = START,
) -> FleetHistory:
    """Return the history of an app.

    Args:
        environments: number of environments: staging, and tenants.
        releases: number of releases to staging.
        everywhere: whether each release went on to every tenant, and not only to one.
        commits: hashes of the release commits, oldest first; made up when there are none.
        now: the time at its end.
    """
    names = ("staging", *(f"tenant{number:03}" for number in range(environments - 1)))
    hashes = tuple(commits) or tuple(_hexadecimal("commit", number)[:40] for number in range(1, releases + 1))
    numbers = range(1, releases + 1)
    entries = {
        name: _entries_of(name, [n for n in numbers if _reaches(position, n, len(names), everywhere)], hashes, now)
        for position, name in enumerate(names)
    }
    holds = tuple(
        Hold(
            environment=name,
            reason=reason,
            actor=ACTORS[position % len(ACTORS)],
            since=now - timedelta(days=3),
            until=now + timedelta(days=4) if position % 2 else None,
        )
        for position, (name, reason) in enumerate(zip(names[1::11], HOSTILE_TEXTS, strict=False))
    )
    changelog = _changelog(releases, now).encode()
    return FleetHistory(environments=names, entries=entries, holds=holds, commits=hashes, changelog=changelog, now=now)


def release_time(number: int, releases: int, now: datetime) -> datetime:
    """Return when a release, counted from 1, was begun."""
    return now - INTERVAL * (releases + 1 - number)


def append_to_journal(history: FleetHistory, journal: Path, *, app: str, region: str) -> None:
    """Add a history to the journal of a local cloud that is stopped, whose table for the app exists."""
    with journal.open("a", encoding="utf-8") as file:
        for item in _items(history):
            file.write(json.dumps({"region": region, "table": f"kaizen-{app}", "item": item}) + "\n")


def add_release_commits(clone: Path, releases: int, now: datetime) -> tuple[str, ...]:
    """Add a commit with a tag for each release to main, and return their hashes, oldest first."""
    ident = "Ada <ada@example.com>"
    head = _git(clone, "rev-parse", "HEAD").strip()
    lines = []
    for number in range(1, releases + 1):
        at = int(release_time(number, releases, now).timestamp()) - COMMIT_AGE_SECONDS
        lines += [
            "commit refs/heads/main",
            f"mark :{number}",
            f"committer {ident} {at} +0000",
            "data <<END",
            f"Release {_name(number)}",
            "END",
            f"from {f':{number - 1}' if number > 1 else head}",
            "M 100644 inline VERSION",
            "data <<END",
            _name(number).removeprefix("v"),
            "END",
            "",
            f"reset refs/tags/{_name(number)}",
            f"from :{number}",
            "",
        ]
    marks = clone.parent / "marks"
    _git(clone, "fast-import", "--quiet", f"--export-marks={marks}", stdin="\n".join(lines))
    hashes = dict(line.split() for line in marks.read_text(encoding="utf-8").splitlines())
    return tuple(hashes[f":{number}"] for number in range(1, releases + 1))


def commit_changelog(clone: Path, history: FleetHistory) -> None:
    """Commit the changelog of a history."""
    _git(clone, "reset", "--quiet", "--hard", "main")
    (clone / "CHANGELOG.md").write_bytes(history.changelog)
    _git(clone, "commit", "--quiet", "--all", "--message", "Changelog")


def _git(clone: Path, *words: str, stdin: str = "") -> str:
    command = ("git", *words)
    return subprocess.run(command, cwd=clone, input=stdin, text=True, check=True, capture_output=True).stdout


def _items(history: FleetHistory) -> Iterator[object]:
    for name, entries in history.entries.items():
        items = [entry_item(entry, name) for entry in entries]
        yield from reversed(items)
        copy = RecentItems.from_items(name, items, is_complete=True, revision="1").item
        yield {**copy, "items": {"B": base64.b64encode(copy["items"]["B"]).decode()}}
    for hold in history.holds:
        yield {**hold_key(hold.environment), **attributes(hold, "reason", "actor", "run_url", "since", "until")}


def _reaches(position: int, number: int, size: int, everywhere: bool) -> bool:
    """Return whether a release reaches the environment at a position."""
    return position == 0 or everywhere or number % (size - 1) == position - 1


def _entries_of(name: str, numbers: Sequence[int], commits: Sequence[str], now: datetime) -> tuple[LedgerEntry, ...]:
    written, previous = [], 0
    delay = timedelta() if name == "staging" else timedelta(minutes=30)
    for number in numbers:
        begun_at = release_time(number, len(commits), now) + delay
        deployment = list(_deployment(name, number, previous, commits, begun_at))
        written += deployment
        if deployment[-1].event is Event.VERIFIED and deployment[-1].version == _name(number):
            previous = number
    return tuple(evolve(entry, number=position) for position, entry in zip(count(1), written, strict=False))[::-1]


def _deployment(
    name: str, number: int, previous: int, commits: Sequence[str], begun_at: datetime
) -> Iterator[LedgerEntry]:
    """Yield the entries of a release in an environment, and of the rollback after it."""
    started = _entry(name, number, commits, begun_at)
    yield started
    divisor, remainder = FAILED_DEPLOYMENT
    if number % divisor == remainder:
        yield evolve(started, event=Event.FAILED, at=begun_at + timedelta(minutes=5), reason=_of(REASONS, number))
        return
    yield evolve(started, event=Event.DEPLOYED, at=begun_at + timedelta(minutes=4), took=221.4)
    divisor, remainder = FAILED_VERIFICATION
    if number % divisor != remainder or not previous:
        yield evolve(started, event=Event.VERIFIED, at=begun_at + timedelta(minutes=5))
        return
    yield evolve(started, event=Event.FAILED, at=begun_at + timedelta(minutes=6), reason=_of(REASONS, number + 3))
    back = _entry(name, previous, commits, begun_at + timedelta(minutes=7))
    yield evolve(back, event=Event.ROLLBACK, reason=_of(REASONS, number + 5))
    yield evolve(back, at=back.at + timedelta(seconds=5))
    yield evolve(back, event=Event.DEPLOYED, at=back.at + timedelta(minutes=4), took=180.2)
    yield evolve(back, event=Event.VERIFIED, at=back.at + timedelta(minutes=5))


def _entry(name: str, number: int, commits: Sequence[str], at: datetime) -> LedgerEntry:
    return LedgerEntry(
        environment=name,
        event=Event.STARTED,
        version=_name(number),
        commit=commits[number - 1],
        digest=f"sha256:{_hexadecimal('image', number)}",
        at=at,
        actor=_of(ACTORS, number),
        run_url=_of(RUN_URLS, number),
    )


def _name(number: int) -> str:
    return f"v0.{number}.0"


def _of(texts: Sequence[str], number: int) -> str:
    return texts[number % len(texts)]


def _hexadecimal(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def _changelog(releases: int, now: datetime) -> str:
    sections = [
        f"## [0.{number}.0] - {release_time(number, releases, now):%Y-%m-%d}\n\n### Added\n\n"
        f"- A better view of week {number}, which several tenants had asked for.\n- {_of(HOSTILE_TEXTS, number)}\n"
        for number in range(releases, 0, -1)
    ]
    return "# Changelog\n\n## [Unreleased]\n\n" + "\n".join(sections)
