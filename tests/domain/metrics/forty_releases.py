"""A scripted history of 40 releases in 40 days: a commit at 06:00 and at 08:00 of each day, and a release at 09:00.

Each day's release goes to staging, that of every second day to prod at 12:00, and that of every fourth day to the
tenants at 15:00. What goes wrong is in the tables below; the last release, v1.0.40, is a hotfix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.git.commit import Commit
from tests.domain.metrics.ledgers import commit, ledger, moment

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry

HOTFIX = "v1.0.40"

STAGING = {
    5: ("09:00 started v1.0.5", "09:05 deployed v1.0.5", "09:10 verified v1.0.5", "10:00 verified v1.0.5"),  # again
    7: (  # fails, and is rolled back
        *("09:00 started v1.0.7", "09:05 deployed v1.0.7", "09:10 failed v1.0.7", "09:10 rollback v1.0.6"),
        *("09:11 started v1.0.6", "09:15 deployed v1.0.6", "09:20 verified v1.0.6"),
    ),
    13: ("09:00 started v1.0.13", "09:05 failed v1.0.13"),  # does not come up
    19: ("09:00 started v1.0.19", "11:05 deployed v1.0.19", "11:10 verified v1.0.19"),  # killed, and finished later
    23: ("09:00 started v1.0.23", "09:30 abandoned v1.0.23"),  # killed, and never finished
}
PROD = {
    4: ("12:00 started v1.0.4", "12:05 deployed v1.0.4", "12:10 failed v1.0.4", "24:30 verified v1.0.4"),
    10: (  # is rolled back in the evening
        *("12:00 started v1.0.10", "12:05 deployed v1.0.10", "12:10 verified v1.0.10", "18:00 rollback v1.0.8"),
        *("18:01 started v1.0.8", "18:05 deployed v1.0.8", "18:10 verified v1.0.8"),
    ),
    16: ("12:00 started v1.0.16", "12:05 deployed v1.0.16", "12:10 failed v1.0.16", "12:40 verified v1.0.16"),
    28: (
        *("12:00 started v1.0.28", "12:05 deployed v1.0.28", "12:10 verified v1.0.28"),
        *(f"20:00 started {HOTFIX}", f"20:05 deployed {HOTFIX}", f"20:10 verified {HOTFIX}"),
    ),
    30: (  # then a runtime configuration that does not work, and the one before it
        *("12:00 started v1.0.30", "12:05 deployed v1.0.30", "12:10 verified v1.0.30"),
        *("15:00 configured v1.0.30+b", "15:00 started v1.0.30+b", "15:05 deployed v1.0.30+b"),
        *("15:10 failed v1.0.30+b", "15:10 restored v1.0.30+a", "15:10 started v1.0.30+a"),
        *("15:15 deployed v1.0.30+a", "15:20 verified v1.0.30+a"),
    ),
    31: ("12:00 ran v1.0.30", "14:00 migrating v1.0.30", "15:00 retired v1.0.30", "16:00 migrated v1.0.30"),
    38: (  # fails, and so does the rollback
        *("12:00 started v1.0.38", "12:05 deployed v1.0.38", "12:10 failed v1.0.38", "12:11 rollback v1.0.36"),
        *("12:11 started v1.0.36", "12:20 deployed v1.0.36", "12:25 failed v1.0.36"),
    ),
}
MARK: dict[int, tuple[str, ...]] = {}
SHANE = {
    12: (  # fails, and is rolled back
        *("15:11 started v1.0.12", "15:15 deployed v1.0.12", "15:20 failed v1.0.12", "15:20 rollback v1.0.8"),
        *("15:21 started v1.0.8", "15:40 deployed v1.0.8", "15:45 verified v1.0.8"),
    ),
    36: ("15:11 started v1.0.36",),  # killed, and not finished yet
}
DOM: dict[int, tuple[str, ...]] = {20: ()}  # is held that day


def histories() -> dict[str, tuple[LedgerEntry, ...]]:
    """Return the entries of each environment, newest first."""
    tenant_days = [2, *range(8, 39, 4)]
    return {
        "staging": _history("staging", range(1, 40), "09:00 09:05 09:10", STAGING),
        "prod": _history("prod", range(2, 39), "12:00 12:05 12:10", PROD, every=2),
        "mark": _history("mark", tenant_days, "15:00 15:05 15:10", MARK),
        "shane": _history("shane", tenant_days, "15:11 15:20 15:30", SHANE),
        "dom": _history("dom", tenant_days, "15:11 15:20 15:30", DOM),
    }


def _history(
    environment: str, days: list[int] | range, times: str, exceptions: dict[int, tuple[str, ...]], *, every: int = 1
) -> tuple[LedgerEntry, ...]:
    lines = []
    for day in days:
        usual = zip(times.split(), ("started", "deployed", "verified"), strict=True) if day % every == 0 else ()
        said = exceptions.get(day, tuple(f"{at} {event} v1.0.{day}" for at, event in usual))
        lines += [f"{day}-{line}" for line in said]
    return ledger(*lines, environment=environment)


def commits() -> dict[str, Commit]:
    """Return all commits by hash: two a day and the release's, that of the hotfix, and its merge on the next day."""
    found, tip = {}, ""
    for day in range(1, 40):
        if day == 29:
            found["merge"] = Commit(at=moment("29-05:00"), parents=(tip, commit(HOTFIX)))
            tip = "merge"
        for name, at in ((f"morning-{day}", f"{day}-06:00"), (f"forenoon-{day}", f"{day}-08:00")):
            found[name] = Commit(at=moment(at), parents=(tip,) if tip else ())
            tip = name
        found[commit(f"v1.0.{day}")] = Commit(at=moment(f"{day}-09:00"), parents=(tip,), sets_version=True)
        tip = commit(f"v1.0.{day}")
        if day == 28:
            hotfix = Commit(at=moment("28-19:30"), parents=("fix",), sets_version=True, environment="prod")
            found["fix"] = Commit(at=moment("28-19:00"), parents=(tip,))
            found[commit(HOTFIX)] = hotfix
    return found
