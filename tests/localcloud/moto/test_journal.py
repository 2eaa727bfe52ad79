"""The journal's file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.moto.journal import Journal, JournalRequest, StoredItem, StoredSecret

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.moto.journal import JournalEntry

REQUEST = JournalRequest(
    service="dynamodb",
    region="eu-west-1",
    target="DynamoDB_20120810.PutItem",
    kind="application/x-amz-json-1.0",
    content=b'{"TableName": "\xc3\xbc"}',
    seed=7,
    at=12.5,
)


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    entries: list[JournalEntry] = [
        REQUEST,
        StoredItem(region="eu-west-1", table="locks", item={"name": {"S": "prod"}}),
        StoredSecret(region="eu-west-1", secret={"name": "app"}),
    ]
    journal.replace(entries)
    journal.append(REQUEST)
    again = Journal(tmp_path / "journal")
    assert again.read() == [*entries, REQUEST]
    assert again.length == 4


def test_reverted_request_is_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(REQUEST)
    journal.revert(journal.append(REQUEST))
    assert journal.length == 1
    assert journal.read() == [REQUEST]


def test_entry_of_an_older_version_has_the_time_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).append(REQUEST)
    document = json.loads(path.read_bytes())
    del document["at"]
    path.write_text(json.dumps(document) + "\n")
    entry = Journal(path).read()[0]
    assert isinstance(entry, JournalRequest)
    assert entry.at == path.stat().st_mtime


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "null",
        "[]",
        "\0\0\0\0",
        "{}",
        '{"region": "x", "table": 1, "item": {}}',
        '{"region": "x", "table": "y", "item": []}',
        '{"region": "x", "secret": {}, "later": 1}',
        "[" * 100_000,
        "{good}{good}",
        '{"service": "dynamodb", "region": "x", "target": "y", "kind": "", "content": "!", "seed": 1}',
        '{"service": 1, "region": "x", "target": "y", "kind": "", "content": "", "seed": 1}',
        '{"service": "dynamodb", "region": "x", "target": "y", "kind": "", "content": "", "seed": 1, "at": "now"}',
    ],
)
def test_damaged_line_is_refused_with_its_place_and_what_to_do(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal"
    Journal(path).append(REQUEST)
    good_line = path.read_text().strip()
    damaged = "\n".join((good_line, line.replace("{good}", good_line), good_line, ""))
    path.write_text(damaged)
    with pytest.raises(Refused, match=re.escape(f"{path}:2 cannot be read")) as caught:
        Journal(path).read()
    assert caught.value.hint == "remove line 2, whose change is then lost, or choose another --state"
    assert path.read_text() == damaged
