"""Ledgers of one environment, written as lines of `day-hour:minute event version`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kaizen_tasks.domain.ledger import Event, LedgerEntry

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)


def moment(text: str) -> datetime:
    """Return a time from the days, hours and minutes since BEGIN: `3-14:05`."""
    day, _, clock = text.partition("-")
    hours, _, minutes = clock.partition(":")
    return BEGIN + timedelta(days=int(day), hours=int(hours), minutes=int(minutes))


def ledger(*lines: str, environment: str = "prod") -> tuple[LedgerEntry, ...]:
    """Return entries, newest first, from lines in the order in which they were written.

    A version with `+conf` is about a runtime configuration. The digest and the commit of a release are its version's.
    """
    entries = []
    for number, line in enumerate(lines, start=1):
        at, event, name = line.split()
        version, _, configuration = name.partition("+")
        entries.append(
            LedgerEntry(
                environment=environment,
                event=Event(event),
                version=version,
                commit=commit(version),
                digest=f"sha256:{version}",
                at=moment(at),
                actor="ada@laptop",
                configuration=configuration,
                number=number,
            )
        )
    return tuple(reversed(entries))


def commit(version: str) -> str:
    """Return the hash of a release commit: `v1.2.3` has `010203…`."""
    return "".join(f"{int(part):02}" for part in version.removeprefix("v").split(".")).ljust(40, "0")
