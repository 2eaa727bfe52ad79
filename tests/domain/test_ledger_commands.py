"""What the ledger says of commands before deployments."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain import ledger_commands
from kaizen_tasks.domain.deployments import group_deployments
from kaizen_tasks.domain.ledger import LedgerEntry, find_standing_failure, open_rollback, verifications
from tests.domain.test_ledger import history, told


def commands(*said: str, irreversible: bool = True) -> tuple[LedgerEntry, ...]:
    """Return entries as `history` does, those about commands with the name and the property of one."""
    return tuple(
        evolve(entry, command="migrate", irreversible=irreversible) if entry.event.concerns_command else entry
        for entry in history(*said)
    )


@pytest.mark.parametrize(
    ("said", "latest"),
    [
        ((), ""),
        (("command-started v1",), "command-started v1"),
        (("command-started v1", "command-failed v1"), "command-failed v1"),
        (("command-started v1", "command-succeeded v1", "verified v1"), "command-succeeded v1"),
        (("command-succeeded v2", "ran v1"), ""),
    ],
)
def test_latest_attempt_is_that_of_the_image(said: tuple[str, ...], latest: str) -> None:
    entries = commands(*said)

    assert told(ledger_commands.latest_attempt(entries, digest="sha256:v1", command="migrate")) == latest
    assert ledger_commands.latest_attempt(entries, digest="sha256:v1", command="other") is None


@pytest.mark.parametrize(
    ("said", "obstacle"),
    [
        (("verified v1", "command-started v2", "command-succeeded v2"), "command-succeeded v2"),
        (("verified v1", "command-started v2"), "command-started v2"),
        (("verified v1", "command-started v2", "command-failed v2"), ""),
        (("verified v1", "command-succeeded v2", "command-failed v2"), ""),
        (("command-succeeded v2", "verified v2", "verified v1"), ""),
        (("command-succeeded v1", "verified v1", "verified v2"), ""),
        (("command-succeeded v2",), "command-succeeded v2"),
        (("verified v1", "command-succeeded v2", "command-started v3", "command-failed v3"), "command-succeeded v2"),
    ],
)
def test_return_goes_behind_what_ran_since_the_release_was_verified(said: tuple[str, ...], obstacle: str) -> None:
    assert told(ledger_commands.irreversible_since(commands(*said), "sha256:v1")) == obstacle
    assert ledger_commands.irreversible_since(commands(*said, irreversible=False), "sha256:v1") is None


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (("command-started v2", "command-failed v2"), "command-failed v2"),
        (("command-failed v2", "command-started v2"), ""),
        (("command-failed v2", "started v2", "deployed v2"), ""),
        (("command-succeeded v2", "started v2", "failed v2"), "failed v2"),
        (("command-failed v3",), ""),
    ],
)
def test_release_whose_command_failed_has_failed(said: tuple[str, ...], failure: str) -> None:
    assert told(find_standing_failure(commands(*said), "v2")) == failure


def test_command_is_no_deployment() -> None:
    entries = commands("verified v1", "verified v2", "rollback v1", "ran v1", "command-failed v3")

    assert told(open_rollback(entries)) == "rollback v1"
    assert [told(each.entry) for each in verifications(entries)] == ["verified v2", "verified v1"]


def test_history_has_a_row_for_each_command_with_its_name() -> None:
    rows = group_deployments(commands("command-started v2", "command-failed v2", "command-started v2", "ran v2"))

    assert [(row.outcome, row.reason) for row in rows] == [
        ("ran", "migrate"),
        ("command-started", "migrate"),
        ("command-failed", "migrate"),
    ]
