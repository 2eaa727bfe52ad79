"""In which order the environments of a stage receive a release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment


@frozen(kw_only=True)
class RolloutRules:
    """How carefully a stage of several environments is rolled out.

    Attributes:
        canary: environments that go first.
        parallel: environments at a time.
        max_failures: how many may fail; after one more no other environment is begun.
        bake: seconds to wait after the canaries.
    """

    canary: int
    parallel: int
    max_failures: int
    bake: Seconds


def split_canaries(environments: Sequence[Environment], rules: RolloutRules) -> tuple[tuple[Environment, ...], ...]:
    """Split environments into the canaries and the others, in their order; there may be none of either."""
    canaries, remaining = environments[: rules.canary], environments[rules.canary :]
    return tuple(tuple(group) for group in (canaries, remaining) if group)


@frozen(kw_only=True)
class Shard:
    """One of several equal parts of a rollout, each of which another machine may take.

    Attributes:
        number: which, counted from 1.
        count: of how many.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def contains(self, name: str) -> bool:
        """Return whether an environment belongs to this part: the SHA-256 of its name, as a number, modulo the count.

        It depends on nothing else, so that every machine divides alike, whatever else is in the stage.
        """
        import hashlib

        number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
        return number % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """Read `2/8`.

    Raises:
        UsageError: it is not a part of a whole.
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not match:
        raise UsageError(f"--shard {text}: is not a part of a whole", hint="write it like --shard 2/8")
    number, count = int(match[1]), int(match[2])
    if not 1 <= number <= count:
        hint = f"the parts are 1/{count} to {count}/{count}" if count else "there must be one part at least"
        raise UsageError(f"--shard {text}: there is no such part", hint=hint)
    return Shard(number=number, count=count)
