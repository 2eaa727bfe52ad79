"""The history of environments."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from kaizen_tasks.flows import history
from tests.fakes.clock import START
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release


def test_history_merges_all_environments_newest_first() -> None:
    tools = FakeTools()
    release(tools)
    entry = tools.ledger.all_entries[0]
    for second, name in enumerate(("mark", "dom", "mark", "dom", "mark")):
        tools.ledger.append(evolve(entry, environment=name, at=START + timedelta(seconds=second)))

    found = history.collect_history([tools.settings.environments[name] for name in ("mark", "dom")], tools, limit=2)

    assert [(each.environment, each.at.second) for each in found] == [("mark", 4), ("dom", 3), ("mark", 2), ("dom", 1)]


def test_history_keeps_the_order_of_each_environment_whatever_the_clocks_said() -> None:
    tools = FakeTools()
    release(tools)
    entry = tools.ledger.all_entries[0]
    for name, second in (("mark", 300), ("dom", 1), ("mark", 2)):
        tools.ledger.append(evolve(entry, environment=name, at=START + timedelta(seconds=second)))

    found = history.collect_history([tools.settings.environments[name] for name in ("mark", "dom")], tools, limit=9)

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
