"""What a change of environments has achieved, and what to type next: the last line of a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.line import accepts, line_of_version
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import list_names

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.release import Release


@frozen(kw_only=True)
class Outcome:
    """What a change has achieved.

    Attributes:
        text: what serves where: `staging serves v1.2.3`.
        next_step: what to type next, and when: `next: inv promote-prod`; empty when nothing follows.
    """

    text: str
    next_step: str = ""


def serving(release: Release, environments: Iterable[Environment]) -> str:
    """Return which environments serve a release, as a text."""
    names = [environment.name for environment in environments]
    return f"{list_names(names)} {'serves' if len(names) == 1 else 'serve'} {release.name}"


def next_promotion(stage: Stage, release: Release, settings: Settings) -> str:
    """Return how to promote a release from a whole stage to the next one that is for it; empty if there is none."""
    if stage.name not in settings.pipeline:
        return ""
    lines, version = settings.lines, release.version
    for name in settings.pipeline[settings.pipeline.index(stage.name) + 1 :]:
        accepting = [member for member in settings.stage(name).environments if accepts(lines, member.name, version)]
        if accepting:
            release_flag = f" --release {release.name}" if lines and line_of_version(lines, version) else ""
            min_age = max(member.min_age for member in accepting)
            delay = f", in {duration.format_duration(min_age)}" if min_age else ""
            return f"next{delay}: inv promote-{name.replace('_', '-')}{release_flag}"
    return ""


def end_of_holds(environments: Iterable[Environment]) -> str:
    """Return how to let promotions reach held environments again."""
    env_flags = " ".join(f"--env {environment.name}" for environment in environments)
    return f"to end the hold: inv hold.remove {env_flags}"
