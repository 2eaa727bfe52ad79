"""Who may change an environment now: one run at a time, or a person who has locked it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Lock:
    """An environment's lock: one that somebody wants, or one that stands.

    Attributes:
        environment: which.
        token: proves whose it is; everybody who takes a lock makes a new one.
        actor: who: `user@host`.
        command: what they typed: `promote-prod`.
        reason: why, in one line, or empty.
        since: when it was taken, in UTC; while it is only wanted, when it was asked for.
        expires: when its lease runs out unless it is renewed; None when a person has taken it by hand.
        fence: how often this environment's lock had been taken by then; 0 while it is only wanted.
        process: which run it is, for those who can see whether it lives; empty when nobody can.
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
        """Whether a person has taken it, so that it lasts until a person gives it back."""
        return self.expires is None

    def is_expired(self, now: datetime) -> bool:
        """Return whether anybody may take it over."""
        return self.expires is not None and self.expires <= now

    def is_same_as(self, other: Lock | None) -> bool:
        """Return whether another look has found this very lock, renewed or not."""
        return other is not None and (self.token, self.fence) == (other.token, other.fence)

    def __str__(self) -> str:
        """Say whose it is, since when, and why: `locked by ada@laptop since 2026-11-20 12:00 UTC (promote-prod)`."""
        manual_note = " by hand" if self.is_manual else ""
        details = ": ".join(text for text in (self.command, self.reason) if text)
        return f"locked{manual_note} by {self.actor} since {self.since:%Y-%m-%d %H:%M} UTC{f' ({details})' if details else ''}"


def format_lock_tokens(tokens: Mapping[str, str]) -> str:
    """Write tokens by environment as a run passes them on to the programs that it starts."""
    return " ".join(f"{environment}={token}" for environment, token in sorted(tokens.items()))


def parse_lock_tokens(text: str) -> dict[str, str]:
    """Return the tokens by environment that `written` wrote; what is not a pair proves nothing and is left out."""
    pairs = (piece.rpartition("=") for piece in text.split())
    return {environment: token for environment, _, token in pairs if environment and token}
