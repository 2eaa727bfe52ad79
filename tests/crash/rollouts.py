"""The flows that deploy, each at the moment before it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.rehearsal import cloud as clouds
from tests.crash import landscapes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.landscapes import Landscape
    from tests.crash.nursery import Nursery

Prepare = Callable[["Landscape"], None]


@frozen(kw_only=True)
class Rollout:
    """A command that deploys.

    Attributes:
        name: what reports call it.
        words: what is typed after `inv`.
        prepare: what happens before, after what came before the rollouts above it.
    """

    name: str
    words: tuple[str, ...]
    prepare: Prepare


def _first(landscape: Landscape) -> None:
    """Bring a first release everywhere, and note a change; half of the services do not deploy by themselves."""
    landscape.library.inv("local.up", "--state", str(landscape.state)).well()
    for name in ("prod", "mark", "shane"):
        landscape.unfollow(f"{name}-web-service")
    for words in (("release-staging",), ("promote-prod", "--yes"), ("promote-beta",)):
        landscape.library.inv(*words).well()
    landscape.note("A typo")


def _released(landscape: Landscape) -> None:
    landscape.library.inv("release-staging").well()


def _promoted(landscape: Landscape) -> None:
    landscape.library.inv("promote-prod", "--yes").well()


def _branched(landscape: Landscape) -> None:
    landscape.library.inv("promote-beta").well()
    landscape.repository.git("switch", "--quiet", "--create", "hotfix/typo")
    landscape.note("Another typo")


def _nothing(_landscape: Landscape) -> None:
    """Stand where the one before has stood."""


ROLLOUTS = {
    rollout.name: rollout
    for rollout in (
        Rollout(name="release-staging", words=("release-staging",), prepare=_first),
        Rollout(name="promote-prod", words=("promote-prod", "--yes"), prepare=_released),
        Rollout(name="promote-beta", words=("promote-beta",), prepare=_promoted),
        Rollout(name="rollback", words=("rollback", "--env", "prod", "--yes"), prepare=_nothing),
        Rollout(name="hotfix", words=("hotfix", "--env", "mark"), prepare=_branched),
    )
}


def timeline(folder: Path, nursery: Nursery, last: str = "hotfix") -> dict[str, Landscape]:
    """Let one app live through all of it, or up to a rollout, and return how it was before each."""
    now, moments = landscapes.found(folder / "found"), {}
    for at, rollout in enumerate(ROLLOUTS.values()):
        living = now.copied(folder / f"moment-{at}").risen(nursery)
        rollout.prepare(living)
        assert living.cloud is not None
        clouds.stop(living.cloud)
        now = moments[rollout.name] = evolve(living, cloud=None)
        if rollout.name == last:
            break
    return moments
