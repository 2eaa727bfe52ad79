"""How far back a dashboard goes when the ledger has more than a page can show."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING

from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.views.dashboard import MAX_ENTRIES, collect_dashboard
from tests.support.fleet_history import FleetHistory, fleet_history
from tests.support.fleet_tools import fleet_tools

if TYPE_CHECKING:
    from kaizen_tasks.domain.dashboard.model import Dashboard


@functools.cache
def everywhere() -> FleetHistory:
    """Return a history in which each release went to every environment."""
    return fleet_history(environments=60, releases=120, everywhere=True)


@functools.cache
def one_busy() -> FleetHistory:
    """Return a history in which each release went to the first stage and one tenant."""
    return fleet_history(environments=60, releases=600)


def collected(history: FleetHistory, max_entries: int | None = MAX_ENTRIES) -> Dashboard:
    tools = fleet_tools(history)
    environments = tuple(tools.settings.environments.values())
    return collect_dashboard(environments, tools, since=history.now - timedelta(days=90), max_entries=max_entries)


def test_a_busy_environment_among_quiet_ones_is_shown_for_the_whole_span() -> None:
    """The first stage gets every release, and each tenant one of many."""
    board = collected(one_busy())

    assert (board.since, board.is_shortened) == (one_busy().now - timedelta(days=90), False)
    assert {bar.version for bar in board.bars} >= {"v0.1.0", "v0.600.0"}


def test_the_span_is_shortened_to_what_the_newest_entries_of_all_environments_tell() -> None:
    """Nothing further is read: there would be too much of it."""
    board = collected(everywhere())

    newest = MAX_ENTRIES // len(everywhere().environments)
    oldest = {name: entries[newest - 1].at for name, entries in everywhere().entries.items()}
    assert board.is_shortened
    assert timedelta() < board.since - max(oldest.values()) < timedelta(seconds=1)
    lanes = {environment.name: environment.lane.bars for environment in board.environments}
    assert {name for name, bars in lanes.items() if bars} == set(everywhere().environments)
    assert [len(metrics.environments) for metrics in board.metrics] == [1, 59]


def test_one_environment_with_too_much_is_read_as_far_as_there_is_room() -> None:
    board = collected(one_busy(), max_entries=1000)

    bars = [bar for bar in board.environments[0].lane.bars if bar.start >= board.since]
    entries = [entry for entry in one_busy().entries["staging"] if entry.at >= board.since]
    assert board.is_shortened
    assert 900 < len(entries) < 1100
    assert len(bars) > HISTORY_LIMIT


def test_all_of_it_is_data() -> None:
    board = collected(everywhere(), max_entries=None)

    assert not board.is_shortened
    assert "v0.1.0" in {bar.version for bar in board.bars}
