"""Collects what the dashboard shows: the landscape, the history of a span, the notes of its releases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.dashboard.model import Candidate, Dashboard, EnvironmentView, StageView
from kaizen_tasks.domain.dashboard.releases import make_releases
from kaizen_tasks.domain.dashboard.timeline import Lane, make_bars
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.forge import find_project
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.status import EnvironmentStatus
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.execution import CommandTools
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.promote import lines, select
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.status import MAX_CONCURRENT_ENVIRONMENTS, collect_status

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.ledger import LedgerEntry
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
    names = [environment.name for environment in settings.environments.values()]
    with tools.caching_ledger(names):  # the entries that the landscape needs are those that promotions ask for
        statuses = {row.environment.name: row for row in collect_status(environments, tools)}
        lanes = map_parallel(
            lambda environment: _read_lane(environment, tools, since=since),
            environments,
            max_workers=MAX_CONCURRENT_ENVIRONMENTS,
        )
        lane_by_environment = {lane.environment: lane for lane in lanes}
        stages = tuple(
            StageView(
                name=stage.name,
                is_group=stage.name in settings.groups,
                environments=tuple(
                    EnvironmentView(status=statuses[each.name], lane=lane_by_environment[each.name])
                    for each in stage.environments
                ),
                candidate=_find_candidate(stage, statuses, tools),
            )
            for stage in _shown_stages(environments, tools)
        )
    errors: list[str] = []
    changelog = _read_changelog(tools, errors)
    unreleased = changelog.unreleased if changelog else None
    return Dashboard(
        app=settings.app,
        at=tools.clock.now(),
        since=since,
        stages=stages,
        releases=make_releases(changelog, stages, since=since),
        changelog=changelog,
        links_base=_links_base(tools),
        unreleased=None if unreleased is None or unreleased.is_empty else unreleased,
        errors=tuple(errors),
    )


def _read_changelog(tools: Tools, errors: list[str]) -> Changelog | None:
    """Return the changelog with what is noted for the next release; None, and an error, when it cannot be read."""
    for read in (files.read_noted_changelog, files.read_changelog):  # a fragment with a problem hides no release
        try:
            return read(tools)
        except KaizenError as error:
            errors[:] = dict.fromkeys([*errors, f"the changelog: {error.message}"])
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


def _read_lane(environment: Environment, tools: Tools, *, since: datetime) -> Lane:
    """Return the timeline of an environment; the error of the ledger is in it."""
    try:
        return Lane(environment=environment.name, bars=make_bars(_read_entries(environment, tools, since), since=since))
    except KaizenError as error:
        return Lane(environment=environment.name, error=error.message)


def _read_entries(environment: Environment, tools: Tools, since: datetime) -> Sequence[LedgerEntry]:
    """Return the entries of a span and, as far as they are at hand, the ones before: those say what served then."""
    entries = tools.ledger.entries(environment.name, limit=HISTORY_LIMIT)
    if len(entries) < HISTORY_LIMIT or entries[-1].at < since:
        return entries
    return tools.ledger.entries_since(environment.name, since)


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
