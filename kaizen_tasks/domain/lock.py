"""Locks: only one run, or one person, changes an environment at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen


@frozen(kw_only=True)
class Lock:
    """An environment's lock, requested or held.

    Attributes:
        environment: the environment's name.
        token: proves ownership; every request for a lock has a new one.
        actor: the owner: `user@host`.
        command: the task they run: `promote-prod`.
        reason: why, in one line, or empty.
        since: when it was acquired, in UTC; of a request, when it was made.
        expires: when its lease ends unless it is renewed; None for a manual lock.
        fence: how often this environment's lock has been acquired, this time included; 0 for a request.
        process: identifies the owner's process on its machine, to tell whether it still runs; may be empty.
    """

    environment: str
    token: str = field(repr=False)
    actor: str
    command: str
    since: datetime
    expires: datetime | None
    reason: str = ""
    fence: int = 0
    process: str = field(default="", repr=False)

    @property
    def is_manual(self) -> bool:
        """Whether a person took it with a task; it lasts until somebody releases it."""
        return self.expires is None

    def is_expired(self, now: datetime) -> bool:
        """Return whether its lease has ended, so that anybody may take it over."""
        return self.expires is not None and self.expires <= now

    def is_same_as(self, other: Lock | None) -> bool:
        """Return whether both are one acquisition of the lock, renewed or not."""
        return other is not None and (self.token, self.fence) == (other.token, other.fence)

    def __str__(self) -> str:
        """Return `locked by ada@laptop since 2026-11-20 12:00 UTC (promote-prod)`."""
        manual_note = " by hand" if self.is_manual else ""
        details = ": ".join(text for text in (self.command, self.reason) if text)
        suffix = f" ({details})" if details else ""
        return f"locked{manual_note} by {self.actor} since {self.since:%Y-%m-%d %H:%M} UTC{suffix}"


def format_lock_tokens(tokens: Mapping[str, str]) -> str:
    """Format tokens by environment, for the environment variable that child processes inherit."""
    return " ".join(f"{environment}={token}" for environment, token in sorted(tokens.items()))


def parse_lock_tokens(text: str) -> dict[str, str]:
    """Return the tokens by environment from what `format_lock_tokens` wrote; malformed pairs are ignored."""
    pairs = (piece.rpartition("=") for piece in text.split())
    return {environment: token for environment, _, token in pairs if environment and token}
