"""The flows that deploy, each at the moment before it is typed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.rehearsal import cloud as clouds
from tests.crash import engine, landscapes
from tests.engines import has_docker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.landscapes import Landscape
    from tests.crash.nursery import Nursery

Prepare = Callable[["Landscape"], None]

DOCKERFILE = f"""\
FROM scratch
ARG VERSION
LABEL {engine.LABEL}=yes
ENV APP_VERSION=$VERSION
COPY web.py /web.py
CMD ["python", "-S", "-E", "/web.py"]
"""


@frozen(kw_only=True)
class Rollout:
    """A command that deploys.

    Attributes:
        name: what reports call it.
        words: what is typed after `inv`.
        prepare: what happens before, after what came before the rollouts above it.
        meanwhile: what holds for as long as it and what follows from it takes.
        own: how the points begin that no rollout above it has.
    """

    name: str
    words: tuple[str, ...]
    prepare: Prepare
    meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext
    own: tuple[str, ...] = ("",)


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


def _containerised(landscape: Landscape) -> None:
    """Let Docker build from now on; the process that runs the image finds its program in there."""
    landscape.repository.git("switch", "--quiet", "main")
    configuration = landscape.library.path / "kaizen.toml"
    configuration.write_bytes(configuration.read_bytes().replace(b'"bundle"', b'"docker"'))
    (landscape.library.path / "Dockerfile").write_text(DOCKERFILE)
    landscape.repository.git("add", "Dockerfile")
    landscape.note("A last typo")


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
        Rollout(
            name="release-staging-docker",
            words=("release-staging",),
            prepare=_containerised,
            meanwhile=engine.alone,
            own=("docker ", "registry "),
        ),
    )
    if rollout.meanwhile is nullcontext or has_docker() or "CI" in os.environ
}


def timeline(folder: Path, nursery: Nursery, last: str = "") -> dict[str, Landscape]:
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
