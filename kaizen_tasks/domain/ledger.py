"""The append-only record of who put which release where, when, and whether it was verified."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen


class Event(StrEnum):
    """What an entry says; the intent stands before the act, the outcome after it."""

    STARTED = "started"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    FAILED = "failed"


@frozen(kw_only=True)
class Entry:
    """One line of the ledger.

    Attributes:
        environment: where.
        event: what happened.
        version: `v1.2.3`.
        commit: full hash of the release commit.
        digest: of the image's manifest.
        at: when, in UTC.
        actor: who: `user@host`.
        operation: the platform's identifier of the deployment, or empty.
        replaces: digest that `:latest` named before, when the entry is an intent.
        reason: why it failed, or what a person said.
    """

    environment: str
    event: Event
    version: str
    commit: str
    digest: str
    at: datetime
    actor: str
    operation: str = ""
    replaces: str = ""
    reason: str = ""


def last_verified(entries: tuple[Entry, ...]) -> Entry | None:
    """Return the newest entry that says verified; `entries` are newest first."""
    return next((entry for entry in entries if entry.event is Event.VERIFIED), None)
