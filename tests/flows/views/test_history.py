"""The history of environments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.views import history
from kaizen_tasks.flows.views.history import HistoryFilter
from tests.fakes.clock import START
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release


def test_history_merges_all_environments_newest_first() -> None:
    tools = FakeTools()
    release(tools)
    entry = tools.ledger.all_entries[0]
    for second, name in enumerate(("mark", "dom", "mark", "dom", "mark")):
        tools.ledger.append(evolve(entry, environment=name, at=START + timedelta(seconds=second)))

    found = history.collect_history(
        [tools.settings.environments[name] for name in ("mark", "dom")], tools, HistoryFilter(limit=2)
    )

    assert [(each.environment, each.at.second) for each in found] == [("mark", 4), ("dom", 3), ("mark", 2), ("dom", 1)]


def test_history_keeps_the_order_of_each_environment_whatever_the_clocks_said() -> None:
    tools = FakeTools()
    release(tools)
    entry = tools.ledger.all_entries[0]
    for name, second in (("mark", 300), ("dom", 1), ("mark", 2)):
        tools.ledger.append(evolve(entry, environment=name, at=START + timedelta(seconds=second)))

    found = history.collect_history(
        [tools.settings.environments[name] for name in ("mark", "dom")], tools, HistoryFilter(limit=9)
    )

    mark = [each.at for each in found if each.environment == "mark"]
    assert mark == [START + timedelta(seconds=2), START + timedelta(seconds=300)]


def test_span_of_every_environment_is_read() -> None:
    tools = FakeTools()
    release(tools)
    entry = tools.ledger.all_entries[0]
    for second, name in enumerate(("mark", "dom", "mark")):
        tools.ledger.append(evolve(entry, environment=name, at=START + timedelta(days=1, seconds=second)))

    found = history.read_history(
        [tools.settings.environments[name] for name in ("staging", "dom", "mark")],
        tools,
        since=START + timedelta(days=1),
    )

    assert list(found) == ["staging", "dom", "mark"]
    assert [[each.at.second for each in entries] for entries in found.values()] == [[], [1], [2, 0]]


@pytest.fixture
def tools() -> FakeTools:
    """Tools with a release that is in staging and, a day later, in mark."""
    tools = FakeTools()
    release(tools)
    staging = tools.ledger.all_entries[:]
    for second, entry in enumerate(staging):
        tools.ledger.append(evolve(entry, environment="mark", at=START + timedelta(days=1, seconds=second)))
    return tools


def all_of(tools: FakeTools, wanted: HistoryFilter) -> list[tuple[str, str, str]]:
    """Return the deployments to all environments: environment, release and outcome."""
    found = history.collect_deployments([*tools.settings.environments.values()], tools, wanted)
    return [(each.first.environment, each.first.version, each.outcome) for each in found]


def test_deployments_of_a_span_have_their_beginning_before_it(tools: FakeTools) -> None:
    (deployment,) = history.collect_deployments(
        [tools.settings.environments["mark"]], tools, HistoryFilter(since=START + timedelta(days=1, seconds=2))
    )

    assert (deployment.first.event, deployment.last.event) == (Event.STARTED, Event.VERIFIED)
    assert all_of(tools, HistoryFilter(since=START + timedelta(days=1))) == [("mark", "v0.2.0", "verified")]
    assert all_of(tools, HistoryFilter(since=START + timedelta(days=2))) == []


def test_entries_of_a_span_are_those_since_then(tools: FakeTools) -> None:
    since = START + timedelta(days=1, seconds=1)

    found = history.collect_history([*tools.settings.environments.values()], tools, HistoryFilter(since=since))

    assert {entry.environment for entry in found} == {"mark"}
    assert min(entry.at for entry in found) == since


def test_history_of_one_release(tools: FakeTools) -> None:
    entry = tools.ledger.all_entries[-1]
    tools.ledger.append(evolve(entry, version="v0.3.0", digest="sha256:other", at=START + timedelta(days=2)))

    assert all_of(tools, HistoryFilter(release=Version.parse("0.2.0"))) == [
        ("mark", "v0.2.0", "verified"),
        ("staging", "v0.2.0", "verified"),
    ]
    assert all_of(tools, HistoryFilter(release=Version.parse("0.3.0"))) == [("mark", "v0.3.0", "verified")]
    assert all_of(tools, HistoryFilter(release=Version.parse("0.2.0"), since=START + timedelta(days=9))) == []
    assert len(all_of(tools, HistoryFilter(release=Version.parse("0.2.0"), limit=1))) == 2


def test_release_that_nobody_had_is_a_usage_error_with_the_nearest_one(tools: FakeTools) -> None:
    with pytest.raises(UsageError) as error:
        all_of(tools, HistoryFilter(release=Version.parse("0.2.1")))

    assert error.value.message == "v0.2.1 is not in the history of 5 environments"
    assert (error.value.wrong, error.value.right) == ("v0.2.1", ("v0.2.0",))
    assert error.value.hint == "the nearest one is v0.2.0"
