"""In which order the environments of a stage receive a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.duration import Seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment


@frozen(kw_only=True)
class RolloutRules:
    """How carefully a stage of several environments is rolled out.

    Attributes:
        canary: environments in the first wave.
        parallel: environments in every later wave.
        max_failures: how many may fail before the next wave is not begun.
        bake: seconds to wait between waves.
    """

    canary: int
    parallel: int
    max_failures: int
    bake: Seconds


def waves(environments: Sequence[Environment], rules: RolloutRules) -> tuple[tuple[Environment, ...], ...]:
    """Split environments into the canary wave and the waves after it, in their order."""
    first, rest = environments[: rules.canary], environments[rules.canary :]
    later = [rest[start : start + rules.parallel] for start in range(0, len(rest), rules.parallel)]
    return tuple(tuple(wave) for wave in (first, *later) if wave)
