"""Collects what the dashboard shows: the landscape, the history of a span, the notes of its releases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.dashboard.model import OUTSIDE, Candidate, Dashboard, EnvironmentView, StageView
from kaizen_tasks.domain.dashboard.releases import make_releases
from kaizen_tasks.domain.dashboard.timeline import Lane, make_bars
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.forge import find_project
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.status import EnvironmentStatus
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.promote import lines, select
from kaizen_tasks.flows.release import files, optional_files
from kaizen_tasks.flows.views.metrics import MetricsReport, Scope, collect_metrics, read_context
from kaizen_tasks.flows.views.status import MAX_CONCURRENT_ENVIRONMENTS, RECENT_ENTRIES, collect_status
from kaizen_tasks.ports.tools import CommandTools

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


MAX_ENTRIES = 10_000
"""How many entries a page reads of environments that have more than their newest 200 in the span: a second of reading.
What is older than these would hardly have room on it."""


def collect_dashboard(
    environments: Sequence[Environment], tools: CommandTools, *, since: datetime, max_entries: int | None = MAX_ENTRIES
) -> Dashboard:
    """Return what the dashboard shows of some environments; what could not be read of one is said there, not raised.

    Args:
        environments: those to show.
        tools: the ports.
        since: when the span of the timeline begins.
        max_entries: how many entries of the ledger are read, about, of environments with more than their newest ones;
            if there are more, the span is shortened. None for all.

    Raises:
        Denied: the credentials of the home belong to another account than configured.
    """
    settings = tools.settings
    stages = _shown_stages(environments, tools)
    errors: list[str] = []
    newest = _newest_limit(environments, max_entries)
    # The landscape, the timeline and promotions ask for the same entries.
    with tools.caching_ledger(settings.environments, first_limit=newest):
        statuses = {row.environment.name: row for row in collect_status(environments, tools)}
        histories, begin = _read_histories(environments, tools, since=since, newest=newest, max_entries=max_entries)
        lanes = {name: history.lane(name, since=begin) for name, history in histories.items()}
        views = tuple(
            StageView(
                name=stage.name,
                is_group=stage.name in settings.groups,
                environments=tuple(
                    EnvironmentView(status=statuses[each.name], lane=lanes[each.name]) for each in stage.environments
                ),
                candidate=_find_candidate(stage, statuses, tools),
            )
            for stage in stages
        )
        metrics = _collect_metrics(stages, histories, tools, since=begin)
    changelog = _read_changelog(tools, errors)
    unreleased = changelog.unreleased if changelog else None
    return Dashboard(
        app=settings.app,
        at=tools.clock.now(),
        since=begin,
        is_shortened=begin > since,
        stages=views,
        releases=make_releases(changelog, views, since=begin),
        changelog=changelog,
        links_base=_links_base(tools),
        unreleased=None if unreleased is None or unreleased.is_empty else unreleased,
        metrics=metrics.metrics,
        metrics_gaps=metrics.problems,
        errors=tuple(errors),
    )


@frozen
class _History:
    """What the ledger has of an environment, or why it could not be read."""

    entries: tuple[LedgerEntry, ...] = ()
    error: str = ""

    def lane(self, environment: str, *, since: datetime) -> Lane:
        """Return the timeline of the environment."""
        return Lane(environment=environment, bars=make_bars(self.entries, since=since), error=self.error)


def _read_histories(
    environments: Sequence[Environment], tools: Tools, *, since: datetime, newest: int, max_entries: int | None
) -> tuple[Mapping[str, _History], datetime]:
    """Return the history of each environment, and since when it is complete: as asked, or later if there is too much.

    Enough from before is in it to tell what served then, unless the span was shortened.
    """

    def read(environment: Environment) -> _History:
        return _attempt(lambda: tools.ledger.entries(environment.name, limit=newest))

    def read_longer(environment: Environment) -> _History:
        if since > wanted:
            return _attempt(lambda: tools.ledger.entries_since(environment.name, since))
        return _attempt(lambda: read_context((environment,), tools, since=since)[environment.name])

    def has_more(environment: Environment) -> bool:
        entries = histories[environment.name].entries
        return len(entries) == newest and entries[-1].at >= since

    wanted = since
    found = map_parallel(read, environments, max_workers=MAX_CONCURRENT_ENVIRONMENTS)
    histories = {environment.name: history for environment, history in zip(environments, found, strict=True)}
    busy = list(filter(has_more, environments))
    if busy and max_entries is not None:
        oldest = [histories[environment.name].entries[-1].at for environment in busy]
        since = _shorten(since, oldest, now=tools.clock.now(), newest=newest, max_entries=max_entries)
        busy = list(filter(has_more, environments))
    longer = map_parallel(read_longer, busy, max_workers=MAX_CONCURRENT_ENVIRONMENTS)
    return {**histories, **{each.name: history for each, history in zip(busy, longer, strict=True)}}, since


def _attempt(read: Callable[[], tuple[LedgerEntry, ...]]) -> _History:
    try:
        return _History(read())
    except KaizenError as error:
        return _History(error=error.message)


def _newest_limit(environments: Sequence[Environment], max_entries: int | None) -> int:
    """Return how many entries of each environment are read at first; those of the landscape in any case."""
    share = HISTORY_LIMIT if max_entries is None else max_entries // max(len(environments), 1)
    return min(max(share, RECENT_ENTRIES), HISTORY_LIMIT)


def _shorten(since: datetime, oldest: Sequence[datetime], *, now: datetime, newest: int, max_entries: int) -> datetime:
    """Return when a span begins for which so many entries have to be read, judging by the newest of each environment.

    Args:
        since: when the span would begin.
        oldest: the time of the oldest one of the entries that are known, for each environment that has more of them.
        now: when it ends.
        newest: how many entries of each are known.
        max_entries: how many may be read, of all these environments.
    """
    span = now - since
    expected = sum(newest * (span / max(now - at, timedelta(seconds=1))) for at in oldest)
    if expected <= max_entries:
        return since
    known = max(oldest) + timedelta(microseconds=1)
    has_room = max_entries >= 2 * newest * len(oldest)  # else there is little to gain from asking each of them again
    return min(now - span * (max_entries / expected), known) if has_room else known


def _collect_metrics(
    stages: Sequence[Stage], histories: Mapping[str, _History], tools: Tools, *, since: datetime
) -> MetricsReport:
    """Return the metrics of each stage, without the environments whose history could not be read."""
    scopes = [
        Scope(name=stage.name or OUTSIDE, environments=readable)
        for stage in stages
        if (readable := tuple(each for each in stage.environments if not histories[each.name].error))
    ]
    unread = [name for name, history in histories.items() if history.error]
    gaps = (f"without {list_names(unread)}, whose history could not be read",) if unread else ()
    entries = {name: history.entries for name, history in histories.items()}
    report = collect_metrics(scopes, tools, since=since, histories=entries)
    return evolve(report, problems=(*gaps, *report.problems))


def _read_changelog(tools: Tools, errors: list[str]) -> Changelog | None:
    """Return the changelog with what is noted for the next release; None, and an error, when it cannot be read."""
    readers = (optional_files.read_noted_changelog, files.read_changelog)  # a fragment with a problem hides no release
    for read in readers:
        try:
            return read(tools)
        except KaizenError as error:
            errors[:] = dict.fromkeys([*errors, error.message])
    return None


def _links_base(tools: Tools) -> str:
    """Return the address that relative links of the changelog lead to; empty if the server of the remote is unknown."""
    project = find_project(tools.scm.web_url(), kind=tools.settings.release.forge, environ={})
    return project.files_url("HEAD") if project else ""


def _shown_stages(environments: Sequence[Environment], tools: Tools) -> tuple[Stage, ...]:
    """Return the stages of the pipeline with the environments that are shown, then those outside of the pipeline."""
    shown = {environment.name for environment in environments}
    stages = [tools.settings.stage(name) for name in tools.settings.pipeline]
    in_pipeline = {member.name for stage in stages for member in stage.environments}
    outside = tuple(environment for environment in environments if environment.name not in in_pipeline)
    restricted = (
        evolve(stage, environments=tuple(member for member in stage.environments if member.name in shown))
        for stage in (*stages, Stage(name="", environments=outside))
    )
    return tuple(stage for stage in restricted if stage.environments)


def _find_candidate(stage: Stage, statuses: Mapping[str, EnvironmentStatus], tools: Tools) -> Candidate | None:
    """Return what `promote-STAGE` would promote, by what is recorded; None for a stage that is not promoted to."""
    if not stage.name or stage.name == tools.settings.pipeline[0]:
        return None
    candidate = Candidate(task=f"promote-{stage.name}")
    try:
        line = lines.line_of_stage(stage, None, tools)
        source = lines.source_stage(stage, line, tools)
        if source is None:
            return None
        candidate = evolve(candidate, source=source.name)
        release = select.find_verified_release(source, None, tools, line=line)
        members = lines.without_other_lines(stage, release.version, tools).environments
        lacking = [member for member in members if not _has(statuses[member.name], release)]
        candidate = evolve(
            candidate,
            release=release.name,
            digest=release.digest,
            environments=tuple(member.name for member in lacking),
            held=tuple(member.name for member in lacking if statuses[member.name].hold),
            step_back=_higher_version([statuses[member.name] for member in lacking], release),
        )
        if lacking:
            select.require_evidence(tuple(lacking), source, release, tools)
    except KaizenError as error:
        return evolve(candidate, obstacle=error.message)
    return candidate


def _has(status: EnvironmentStatus, release: Release) -> bool:
    entry = status.last_entry
    return entry is not None and entry.event is Event.VERIFIED and entry.digest == release.digest


def _higher_version(statuses: Iterable[EnvironmentStatus], release: Release) -> str:
    """Return the highest version that environments without a hold were deployed with and that is above a release's."""
    names = [status.last_entry.version for status in statuses if status.last_entry and not status.hold]
    return max((name for name in names if parse_version(name) > release.version), key=parse_version, default="")
