"""Locks: only one run, or one person, changes an environment at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

LEASE_SECONDS = 60.0
"""Seconds for which the heartbeat of a lock stands still before others take the lock over."""


DEAD_RUN = "that run has died; the next one takes over"
"""What is said of a lock whose run has ended without releasing it."""


@frozen(kw_only=True)
class Lock:
    """The lock of an environment, either requested or acquired.

    Attributes:
        environment: the environment's name.
        token: proves ownership; every request for a lock has a new one.
        actor: the owner, as in the ledger.
        command: the task that the owner runs: `promote-prod`.
        reason: the reason, in one line, or empty.
        since: when the lock was acquired or, for a request, requested, in UTC.
        expires: when the lease ends if it is not renewed, only to be shown; None for a manual lock.
        lease: for how many seconds the heartbeat stands still before others may take the lock over.
        heartbeat: how often the lease has been renewed.
        fence: how often this environment's lock has been acquired, this time included; 0 for a request.
        run_url: address of the CI run that is the owner, or empty.
        process: identity of the owner's process, by which its machine can tell whether it still runs; may be empty.
    """

    environment: str
    token: str = field(repr=False)
    actor: str
    command: str
    since: datetime
    expires: datetime | None
    lease: float = LEASE_SECONDS
    heartbeat: int = 0
    reason: str = ""
    fence: int = 0
    run_url: str = ""
    process: str = field(default="", repr=False)

    @property
    def is_manual(self) -> bool:
        """Whether a person locked the environment by a task; such a lock lasts until somebody releases it."""
        return self.expires is None

    def seems_expired(self, now: datetime) -> bool:
        """Return whether the lease has ended, if the clocks of owner and reader agree: to be shown, never to act on."""
        return self.expires is not None and self.expires <= now

    def is_same_as(self, other: Lock | None) -> bool:
        """Return whether both are one acquisition of the lock, renewed or not."""
        return other is not None and (self.token, self.fence) == (other.token, other.fence)

    def is_unchanged_since(self, earlier: Lock) -> bool:
        """Return whether this is the same acquisition as earlier, and has not been renewed in between.

        The expiry is compared because earlier versions of this program write no heartbeat.
        """
        return self.is_same_as(earlier) and (self.heartbeat, self.expires) == (earlier.heartbeat, earlier.expires)

    def __str__(self) -> str:
        """Return a text such as `locked by ada@laptop since 2026-11-20 12:00 UTC (promote-prod)`."""
        manual_note = " by hand" if self.is_manual else ""
        details = ": ".join(text for text in (self.command, self.reason) if text)
        run = f", {self.run_url}" if self.run_url else ""
        suffix = (f" ({details})" if details else "") + run
        return f"locked{manual_note} by {self.actor} since {self.since:%Y-%m-%d %H:%M} UTC{suffix}"


def format_lock_tokens(tokens: Mapping[str, str]) -> str:
    """Return tokens by environment as text, for the environment variable that child processes inherit."""
    return " ".join(f"{environment}={token}" for environment, token in sorted(tokens.items()))


def parse_lock_tokens(text: str) -> dict[str, str]:
    """Return the tokens by environment in a text of `format_lock_tokens`; malformed pairs are ignored."""
    pairs = (piece.rpartition("=") for piece in text.split())
    return {environment: token for environment, _, token in pairs if environment and token}
