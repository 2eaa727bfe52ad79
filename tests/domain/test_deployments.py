"""The ledger as deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kaizen_tasks.domain.deployments import group_deployments
from kaizen_tasks.domain.ledger import Event, LedgerEntry

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def ledger(text: str) -> list[LedgerEntry]:
    """Return entries, newest first, that are written as `event:release`, oldest first, ten seconds apart."""
    entries = [
        LedgerEntry(
            environment="staging",
            event=Event(event),
            version=release.partition("+")[0],
            commit="c",
            digest=release.partition("+")[0],
            configuration=release.partition("+")[2],
            at=START + timedelta(seconds=10 * number),
            actor="ada",
            reason=f"{event} {release}" if event in {"rollback", "failed"} else "",
        )
        for number, (event, release) in enumerate(word.split(":") for word in text.split())
    ]
    return entries[::-1]


@pytest.mark.parametrize(
    ("entries", "rows"),
    [
        ("started:v1 deployed:v1 verified:v1", ["v1 verified 20"]),
        ("started:v1", ["v1 started None"]),
        ("started:v1 failed:v1", ["v1 failed 10 failed v1"]),
        ("started:v1 deployed:v1 verified:v1 verified:v1", ["v1 verified None", "v1 verified 20"]),
        ("started:v1 verified:v1 started:v1 verified:v1", ["v1 verified 10", "v1 verified 10"]),
        (
            "started:v1 verified:v1 started:v2 deployed:v2 failed:v2 rollback:v1 started:v1 deployed:v1 verified:v1",
            ["v1 verified 30 rollback: rollback v1", "v2 failed 20 failed v2", "v1 verified 10"],
        ),
        (
            "started:v2 rollback:v1 abandoned:v2 started:v1 verified:v1",
            ["v1 verified 30 rollback: rollback v1", "v2 abandoned 20"],
        ),
        ("configured:v1+a started:v1+a verified:v1+a", ["v1 verified 20 new configuration"]),
        (
            "configured:v1+a started:v1 verified:v1",
            ["v1 verified 10", "v1 configured None new configuration"],
        ),
        ("withdrawn:v3 started:v4", ["v4 started None", "v3 withdrawn None"]),
    ],
)
def test_entries_become_one_row_for_each_deployment(entries: str, rows: list[str]) -> None:
    deployments = group_deployments(ledger(entries))

    texts = [
        f"{each.first.version} {each.outcome} {each.seconds and int(each.seconds)} {each.reason}".rstrip()
        for each in deployments
    ]
    assert texts == rows
