"""Collects DORA's four metrics of stages and environments, from the ledger and git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve, frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.git.commit import Commit
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.metrics.changes import read_changes
from kaizen_tasks.domain.metrics.lead_time import find_deliveries
from kaizen_tasks.domain.metrics.summary import Metrics, measure
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.release.files import VERSION_FILE
from kaizen_tasks.flows.views.history import MAX_CONCURRENT_READS, read_history
from kaizen_tasks.ports.tools import Tools

UNKNOWN = "lead times and hotfixes are unknown"
EARLIEST = datetime.min.replace(tzinfo=UTC)

CONTEXT = timedelta(days=30)
"""How far before the span the ledger is read at first: mostly it tells what was serving when the span began."""


@frozen(kw_only=True)
class Scope:
    """What one line of the metrics is about: a stage, a group, or an environment.

    Attributes:
        name: its name.
        environments: its environments.
        group: for an environment, the name of the group above it; otherwise empty.
    """

    name: str
    environments: tuple[Environment, ...]
    group: str = ""


@frozen(kw_only=True)
class MetricsReport:
    """The metrics of several stages, groups and environments.

    Attributes:
        since: when the span begins, in UTC.
        until: when it ends: now.
        metrics: those of each stage, group and environment, in the order of the scopes.
        problems: what is missing, and how to get it: `this clone is shallow: git fetch --unshallow`.
    """

    since: datetime
    until: datetime
    metrics: tuple[Metrics, ...]
    problems: tuple[str, ...] = ()


def find_scopes(names: Sequence[str], tools: Tools) -> tuple[Scope, ...]:
    """Return the stages of the pipeline, the groups and all other environments; or only those that are named.

    A group of several environments is followed by each of them.

    Raises:
        UsageError: a name is neither an environment nor a group.
    """
    settings = tools.settings
    if not names:
        covered = {member for name in (*settings.pipeline, *settings.groups) for member in _members(name, tools)}
        names = (*settings.pipeline, *settings.groups, *(name for name in settings.environments if name not in covered))
    scopes: dict[str, Scope] = {}
    for name in names:
        stage = settings.stage(name)
        scopes.setdefault(name, Scope(name=name, environments=stage.environments))
        for environment in stage.environments if name in settings.groups else ():
            scopes.setdefault(environment.name, Scope(name=environment.name, environments=(environment,), group=name))
    return tuple(scopes.values())


def _members(name: str, tools: Tools) -> tuple[str, ...]:
    return tuple(environment.name for environment in tools.settings.stage(name).environments)


def collect_metrics(
    scopes: Sequence[Scope],
    tools: Tools,
    *,
    since: datetime,
    histories: Mapping[str, tuple[LedgerEntry, ...]] | None = None,
) -> MetricsReport:
    """Return the metrics of stages, groups and environments from a time until now.

    Args:
        scopes: what to measure.
        tools: the ports.
        since: when the span begins.
        histories: what `read_context` has returned for the environments of all scopes; None to read it.
    """
    until = tools.clock.now()
    environments = tuple(dict.fromkeys(environment for scope in scopes for environment in scope.environments))
    if histories is None:
        histories = read_context(environments, tools, since=since)
    commits, problems = _read_commits(histories, tools)
    records, deliveries = {}, {}
    for environment in environments:
        own_names = (environment.name, *environment.formerly)
        hotfixes = {name for name, commit in commits.items() if commit.environment in own_names}
        record = read_changes(environment.name, histories[environment.name], hotfixes=hotfixes)
        records[environment.name] = record
        deliveries[environment.name] = find_deliveries(record, commits)
    metrics = []
    for scope in scopes:
        names = [environment.name for environment in scope.environments]
        own_deliveries = [delivery for name in names for delivery in deliveries[name]]
        measured = measure(scope.name, [records[name] for name in names], own_deliveries, since=since, until=until)
        metrics.append(evolve(measured, group=scope.group))
    problems = problems or _find_gaps(metrics)
    return MetricsReport(since=since, until=until, metrics=tuple(metrics), problems=problems)


def read_context(
    environments: Sequence[Environment], tools: Tools, *, since: datetime
) -> dict[str, tuple[LedgerEntry, ...]]:
    """Return the entries of each environment since a time, and enough from before to tell what it was serving then.

    Args:
        environments: which ones.
        tools: the ports.
        since: when the span begins.
    """
    histories = read_history(environments, tools, since=since - CONTEXT if since - EARLIEST > CONTEXT else EARLIEST)
    quiet = [name for name, entries in histories.items() if not _tells_what_served(entries, since)]

    def read_longer(name: str) -> tuple[LedgerEntry, ...]:
        return tools.ledger.entries(name, limit=len(histories[name]) + HISTORY_LIMIT)

    longer = map_parallel(read_longer, quiet, max_workers=MAX_CONCURRENT_READS)
    return {**histories, **dict(zip(quiet, longer, strict=True))}


def _tells_what_served(entries: Sequence[LedgerEntry], since: datetime) -> bool:
    """Return whether entries begin with the first of all, or tell which release worked when the span began."""
    if entries and entries[-1].number == 1:
        return True
    return any(entry.event is Event.VERIFIED and entry.at < since for entry in entries)


def _read_commits(
    histories: Mapping[str, Sequence[LedgerEntry]], tools: Tools
) -> tuple[Mapping[str, Commit], tuple[str, ...]]:
    """Return the commits of all releases and what leads to them, and why there are none, if so."""
    tips = {entry.commit for entries in histories.values() for entry in entries if entry.event.concerns_deployment}
    if not tips:
        return {}, ()
    try:
        if tools.scm.is_shallow():
            return {}, (f"this clone is shallow, so {UNKNOWN}: git fetch --unshallow",)
        return tools.scm.history(tips, version_file=VERSION_FILE), ()
    except KaizenError as error:
        return {}, (f"{error.message}, so {UNKNOWN}",)


def _find_gaps(metrics: Sequence[Metrics]) -> tuple[str, ...]:
    """Return what this clone lacks."""
    missing = {each.version for scope in metrics for each in scope.deliveries if each.is_missing}
    if not missing:
        return ()
    verb, pronoun = ("is", "it") if len(missing) == 1 else ("are", "them")
    lack = f"{counted(len(missing), 'release')} {verb} not in this clone"
    return (f"{lack}, so {UNKNOWN} for {pronoun}: git fetch --all --tags",)
