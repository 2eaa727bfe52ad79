"""Divide the environments of a stage: into canaries and others, or into shards for several machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment


def split_canaries(environments: Sequence[Environment], canary: int) -> tuple[tuple[Environment, ...], ...]:
    """Split environments, in their order, into canaries and others; leave out an empty part."""
    canaries, remaining = environments[:canary], environments[canary:]
    return tuple(tuple(group) for group in (canaries, remaining) if group)


@frozen(kw_only=True)
class Shard:
    """One machine's share of a rollout.

    Attributes:
        number: number of the share, from 1.
        count: how many shares there are.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def contains(self, name: str) -> bool:
        """Return whether an environment belongs to this share, by SHA-256 of its name modulo the count.

        The result depends on nothing else, so that all machines divide a stage alike.
        """
        import hashlib

        number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
        return number % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """Return the shard of a text such as `2/8`.

    Raises:
        UsageError: the text is malformed, or the number is not between 1 and the count.
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not match:
        raise UsageError(f"--shard: expected INDEX/COUNT such as 2/8, got {text!r}")
    number, count = int(match[1]), int(match[2])
    if not 1 <= number <= count:
        shards = f"the shards are 1/{count} to {count}/{count}" if count else "there must be one shard at least"
        raise UsageError(f"--shard {text}: there is no such shard", hint=shards)
    return Shard(number=number, count=count)
