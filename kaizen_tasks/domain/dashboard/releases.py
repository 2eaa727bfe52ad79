"""The releases of a dashboard: those of its span and those that serve, with their notes and where they have been."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kaizen_tasks.domain.dashboard.model import ReleaseView, StageReach, StageView
from kaizen_tasks.domain.dashboard.timeline import Bar, BarOutcome
from kaizen_tasks.domain.version import image_tag, parse_version, sort_key
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section
    from kaizen_tasks.domain.version import VersionKey

_FAILURES = {BarOutcome.FAILED, BarOutcome.ABANDONED}


def make_releases(
    changelog: Changelog | None, stages: Sequence[StageView], *, since: datetime
) -> tuple[ReleaseView, ...]:
    """Return the releases of a span, newest first: those dated in it, and those that were in an environment then.

    Args:
        changelog: the notes; None when it could not be read.
        stages: the landscape.
        since: when the span begins.
    """
    sections = {image_tag(section.version): section for section in _versioned(changelog) if section.version}
    reaches = _reaches_by_release(stages)
    dated = {name for name, section in sections.items() if section.date and section.date >= since.date()}
    names = sorted({*dated, *reaches}, key=_precedence, reverse=True)
    return tuple(ReleaseView(name=name, section=sections.get(name), stages=reaches.get(name, ())) for name in names)


def _versioned(changelog: Changelog | None) -> Iterator[Section]:
    """Yield the sections with a version, the last one first: of two with one version, the first in the file counts."""
    yield from reversed([section for section in changelog.releases if section.version] if changelog else [])


def _precedence(name: str) -> tuple[bool, VersionKey | str]:
    try:
        return True, sort_key(parse_version(name))
    except UsageError:
        return False, name


def _reaches_by_release(stages: Sequence[StageView]) -> Mapping[str, tuple[StageReach, ...]]:
    """Return the stages that each release has reached, in the order of the pipeline."""
    reaches: defaultdict[str, list[StageReach]] = defaultdict(list)
    for stage in stages:
        bars: defaultdict[str, dict[str, list[Bar]]] = defaultdict(dict)
        for member in stage.environments:
            for bar in member.lane.bars:
                bars[bar.version].setdefault(member.name, []).append(bar)
        for release, by_environment in bars.items():
            reaches[release].append(_reach(stage, by_environment.values()))
    return {release: tuple(items) for release, items in reaches.items()}


def _reach(stage: StageView, bars_by_environment: Iterable[Sequence[Bar]]) -> StageReach:
    """Return how far a release has come in a stage, by its bars in each environment, newest first."""
    histories = tuple(bars_by_environment)
    is_serving = [any(bar.is_serving for bar in bars) for bars in histories]
    last_outcomes = [bars[0].outcome for bars, serves in zip(histories, is_serving, strict=True) if not serves]
    return StageReach(
        stage=stage.name,
        first_at=min(bar.start for bars in histories for bar in bars),
        serving=sum(is_serving),
        served=sum(any(bar.has_served for bar in bars) for bars in histories),
        failed=sum(outcome in _FAILURES for outcome in last_outcomes),
        rolled_back=last_outcomes.count(BarOutcome.ROLLED_BACK),
        total=len(stage.environments),
    )
