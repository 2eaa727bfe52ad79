"""Ledger entries as lines, which are parsed when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb import entry_lines
from kaizen_tasks.adapters.aws.dynamodb.entry_items import entry_item, operation_item
from kaizen_tasks.adapters.aws.dynamodb.entry_lines import BLOCK_LINES, LineEntries, format_line
from kaizen_tasks.domain.ledger import MIGRATION_EVENTS, Event, of_events
from tests.contracts.ledger import entry

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry

SIZE = 60
ENTRIES = tuple(evolve(entry(), number=number) for number in range(SIZE, 0, -1))


def lines(entries: Sequence[LedgerEntry]) -> list[str]:
    """Return the lines of entries."""
    return [format_line(entry_item(each, "staging")) for each in entries]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the lines that are parsed from now on."""
    contents: list[object] = []

    def load(text: str) -> list[object]:
        items: list[object] = json.loads(text)
        contents.extend(items)
        return items

    monkeypatch.setattr(entry_lines, "json", SimpleNamespace(loads=load, dumps=json.dumps))
    return contents


def test_only_the_newest_are_parsed_for_the_newest(parsed: list[object]) -> None:
    entries = LineEntries(lines(ENTRIES), "staging")

    assert (len(entries), entries[0]) == (SIZE, ENTRIES[0])
    assert len(parsed) == BLOCK_LINES


def test_each_is_parsed_once(parsed: list[object]) -> None:
    entries = LineEntries(lines(ENTRIES), "staging")

    assert (tuple(entries), tuple(entries)) == (ENTRIES, ENTRIES)
    assert len(parsed) == SIZE


@pytest.mark.parametrize("part", [slice(3), slice(5, 9), slice(-2, None), slice(None, None, -1), slice(70, None)])
def test_slices_are_those_of_a_tuple(part: slice) -> None:
    assert LineEntries(lines(ENTRIES), "staging")[part] == ENTRIES[part]


def test_index_behind_the_last_one_is_an_error() -> None:
    with pytest.raises(IndexError):
        LineEntries(lines(ENTRIES[:2]), "staging")[2]


def test_nothing_is_parsed_to_find_that_an_event_is_missing(parsed: list[object]) -> None:
    """A person may have written its name, also as JSON."""
    reason = '"event":{"S":"migrating"}'
    entries = LineEntries(lines([*ENTRIES, evolve(entry(), reason=reason)]), "staging")

    assert [*of_events(entries, MIGRATION_EVENTS)] == []
    assert parsed == []


@pytest.mark.parametrize("event", sorted(Event))
def test_entries_of_an_event_are_found(event: Event) -> None:
    events = [entry(event=each) for each in Event if each is not Event.UNKNOWN]
    entries = LineEntries(lines(events), "staging")

    assert [*of_events(entries, {event})] == [each for each in events if each.event is event]


def test_an_intent_has_the_operation_of_the_line_before_it() -> None:
    intent = evolve(entry(event=Event.STARTED), operation="", number=2)
    operation = format_line(operation_item(intent, "6c-7e", "staging"))
    entries = LineEntries([*lines([entry()]), operation, *lines([intent])], "staging")

    assert len(entries) == 2
    assert [each.operation for each in entries] == [entry().operation, "6c-7e"]
