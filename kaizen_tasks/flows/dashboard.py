"""Collects what the dashboard shows: the landscape, the history of a span, the notes of its releases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
from kaizen_tasks.flows.execution import CommandTools
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.metrics import MetricsReport, Scope, collect_metrics, read_context
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.promote import lines, select
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.status import MAX_CONCURRENT_ENVIRONMENTS, collect_status

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def collect_dashboard(environments: Sequence[Environment], tools: CommandTools, *, since: datetime) -> Dashboard:
    """Return what the dashboard shows of some environments; what could not be read of one is said there, not raised.

    Args:
        environments: those to show.
        tools: the ports.
        since: when the span of the timeline begins.

    Raises:
        Denied: the credentials of the home belong to another account than configured.
    """
    settings = tools.settings
    stages = _shown_stages(environments, tools)
    errors: list[str] = []
    with tools.caching_ledger(settings.environments):  # the landscape, the timeline and promotions ask for the same
        statuses = {row.environment.name: row for row in collect_status(environments, tools)}
        histories = _read_histories(environments, tools, since=since)
        lanes = {name: history.lane(name, since=since) for name, history in histories.items()}
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
        metrics = _collect_metrics(stages, histories, tools, since=since)
    changelog = _read_changelog(tools, errors)
    unreleased = changelog.unreleased if changelog else None
    return Dashboard(
        app=settings.app,
        at=tools.clock.now(),
        since=since,
        stages=views,
        releases=make_releases(changelog, views, since=since),
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


def _read_histories(environments: Sequence[Environment], tools: Tools, *, since: datetime) -> Mapping[str, _History]:
    """Return the history of each environment since a time, and enough from before to tell what served then."""

    def read(environment: Environment) -> _History:
        try:
            entries = tools.ledger.entries(environment.name, limit=HISTORY_LIMIT)
            if len(entries) == HISTORY_LIMIT and entries[-1].at >= since:
                entries = read_context((environment,), tools, since=since)[environment.name]
        except KaizenError as error:
            return _History(error=error.message)
        return _History(entries)

    names = [environment.name for environment in environments]
    found = map_parallel(read, environments, max_workers=MAX_CONCURRENT_ENVIRONMENTS)
    return dict(zip(names, found, strict=True))


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
    for read in (files.read_noted_changelog, files.read_changelog):  # a fragment with a problem hides no release
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
