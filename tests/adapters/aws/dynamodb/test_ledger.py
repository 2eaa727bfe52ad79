"""The ledger in DynamoDB, on the local cloud."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.entry_items import entry_item
from kaizen_tasks.adapters.aws.dynamodb.items import sortable_timestamp
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NotFound
from tests.contracts.ledger import NOON, LedgerContract, entry
from tests.domain.notification.news import notification
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.notification.notification import Notification
    from tests.support.local_cloud import Cloud


def _write_unnumbered(ledger: DynamoLedger, aws: Aws, *, event: Event, at: datetime) -> None:
    """Write an entry as versions did whose entries had no numbers."""
    item = entry_item(evolve(entry(event=event, at=at), operation=""), "staging")
    del item["at"]  # type: ignore[attr-defined]
    key = f"{sortable_timestamp(at)}#{secrets.token_hex(8)}"
    aws.dynamodb().put_item(TableName=ledger.table_name, Item={**item, "sk": {"S": key}})


def write_twice(dynamodb: DynamoDBClient, operations: Sequence[TransactWriteItemTypeDef]) -> tuple[Item | None, ...]:
    """Write a transaction, lose the response, and write it again with another token."""
    write_transaction(dynamodb, operations)
    return write_transaction(dynamodb, operations)


@pytest.fixture
def absent(aws: Aws) -> DynamoLedger:
    """A ledger without a table."""
    return DynamoLedger(aws, app=f"coach-{secrets.token_hex(4)}", clock=FakeClock())


@pytest.fixture
def ledger(absent: DynamoLedger) -> DynamoLedger:
    absent.create()
    return absent


class TestDynamo(LedgerContract):
    def test_entries_of_an_environment_share_a_partition_key(self, ledger: DynamoLedger, aws: Aws) -> None:
        ledger.append(entry("staging"))

        item, copy = aws.dynamodb().scan(TableName=ledger.table_name)["Items"]

        assert (item["pk"], item["sk"]) == ({"S": "ledger#staging"}, {"S": "n#000000000001"})
        assert (copy["pk"], copy["sk"]) == ({"S": "ledger#staging"}, {"S": "n$"})

    def test_entries_without_numbers_come_before_the_others(self, ledger: DynamoLedger, aws: Aws) -> None:
        _write_unnumbered(ledger, aws, event=Event.STARTED, at=NOON)
        intent = evolve(entry(event=Event.STARTED), operation="")
        ledger.set_operation(intent, "6c-7e")
        newer = entry(at=NOON - timedelta(days=1))

        assert ledger.append(newer).number == 1
        assert ledger.entries("staging") == (newer, evolve(intent, operation="6c-7e"))

    @pytest.mark.parametrize(
        "change",
        [
            {"event": {"S": "quarantined"}},
            {"event": {"N": "7"}},
            {"event": None},
            {"version": None},
            {"digest": {"L": []}},
            {"at": {"S": "noon"}},
        ],
    )
    def test_entry_of_a_later_version_is_shown_among_the_others(
        self, ledger: DynamoLedger, aws: Aws, change: dict[str, Any]
    ) -> None:
        ledger.append(entry())
        odd: Item = {"actor": {"M": {}}, "took": {"S": "long"}, "new": {"BOOL": True}}
        later = {**entry_item(evolve(entry(), number=2), "staging"), **odd}
        item = {name: value for name, value in {**later, **change}.items() if value is not None}
        aws.dynamodb().put_item(TableName=ledger.table_name, Item=item)

        assert ledger.append(entry(event=Event.VERIFIED)).number == 3
        newest, unknown, oldest = ledger.entries("staging")
        assert (newest.event, oldest.event) == (Event.VERIFIED, Event.DEPLOYED)
        assert (unknown.event, unknown.environment, unknown.actor) == (Event.UNKNOWN, "staging", "")
        assert unknown.event_name == (change.get("event", {"S": "deployed"}) or {}).get("S", "?")

    def test_items_of_later_versions_beside_the_entries_are_left_alone(self, ledger: DynamoLedger, aws: Aws) -> None:
        ledger.append(entry())
        for sort_key in ("n$$", "zzz", "~"):
            key = {"pk": {"S": "ledger#staging"}, "sk": {"S": sort_key}}
            aws.dynamodb().put_item(TableName=ledger.table_name, Item={**key, "event": {"S": "deployed"}})

        assert ledger.append(entry(event=Event.VERIFIED)).number == 2
        assert [each.event for each in ledger.entries("staging")] == [Event.VERIFIED, Event.DEPLOYED]

    def test_damaged_number_does_not_stop_the_next_entry(self, ledger: DynamoLedger, aws: Aws) -> None:
        ledger.append(entry())
        key = {"pk": {"S": "ledger#staging"}, "sk": {"S": "n#one"}}
        aws.dynamodb().put_item(TableName=ledger.table_name, Item={**key, "event": {"S": "deployed"}})

        assert ledger.append(entry(event=Event.VERIFIED)).number == 2

    def test_writer_that_has_read_before_another_wrote_takes_the_next_number(
        self, ledger: DynamoLedger, aws: Aws
    ) -> None:
        other = DynamoLedger(aws, app=ledger.table_name.removeprefix("kaizen-"), clock=FakeClock())
        ledger.append(entry())
        other.entries("staging")
        ledger.append(entry(event=Event.VERIFIED))

        assert other.append(entry(event=Event.FAILED)).number == 3
        assert [each.event for each in ledger.entries("staging")] == [Event.FAILED, Event.VERIFIED, Event.DEPLOYED]

    @pytest.mark.parametrize("notifications", [(), (notification(),)])
    def test_entry_is_written_once_when_its_response_was_lost(
        self, ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch, notifications: tuple[Notification, ...]
    ) -> None:
        monkeypatch.setattr("kaizen_tasks.adapters.aws.dynamodb.ledger.write_transaction", write_twice)

        assert ledger.append(entry(), notifications).number == 1
        assert ledger.entries("staging") == (entry(),)

    def test_leaves_other_kinds_of_items_alone(self, ledger: DynamoLedger, aws: Aws) -> None:
        lock = {"pk": {"S": "lock#staging"}, "sk": {"S": "lock"}}
        aws.dynamodb().put_item(TableName=ledger.table_name, Item=lock)

        assert ledger.entries("staging") == ()

    def test_reads_across_pages(self, ledger: DynamoLedger) -> None:
        for _ in range(25):
            ledger.append(entry())

        assert len(ledger.entries("staging", limit=23)) == 23

    def test_span_covers_entries_without_numbers(self, ledger: DynamoLedger, aws: Aws) -> None:
        for day in range(3):
            _write_unnumbered(ledger, aws, event=Event.STARTED, at=NOON + timedelta(days=day))
        ledger.set_operation(entry(event=Event.STARTED, at=NOON + timedelta(days=2)), "6c-7e")
        ledger.append(entry(event=Event.VERIFIED, at=NOON + timedelta(days=3)))

        found = ledger.entries_since("staging", NOON + timedelta(days=1))

        assert [(each.event, each.at.day) for each in found] == [("verified", 23), ("started", 22), ("started", 21)]
        assert found[1].operation == "6c-7e"

    @pytest.mark.parametrize("at", [{"S": "noon"}, {"S": "12:00"}, {"N": "7"}, None])
    def test_entry_of_an_unknown_time_is_in_the_span_when_an_older_entry_is(
        self, ledger: DynamoLedger, aws: Aws, at: dict[str, str] | None
    ) -> None:
        ledger.append(entry())
        item = {**entry_item(evolve(entry(), number=2), "staging"), "at": at}
        if at is None:
            del item["at"]
        aws.dynamodb().put_item(TableName=ledger.table_name, Item=item)
        ledger.append(entry(at=NOON + timedelta(days=1)))

        assert [each.number for each in ledger.entries_since("staging", NOON)] == [3, 2, 1]
        assert [each.number for each in ledger.entries_since("staging", NOON + timedelta(hours=1))] == [3]

    def test_span_of_a_long_history_is_read_in_one_request_a_megabyte(self, ledger: DynamoLedger, cloud: Cloud) -> None:
        """The first page without an entry of the span is the last one that is read."""
        long_reason = "because " * 12_500  # of 100 kB, so that a page has ten entries
        for day in range(40):
            ledger.append(evolve(entry(at=NOON + timedelta(days=day)), reason=long_reason))

        def read(since: timedelta) -> tuple[int, int]:
            """Return the number of entries and the number of requests."""
            begin = len(cloud.requests)
            return len(ledger.entries_since("staging", NOON + since)), len(cloud.requests) - begin

        assert read(timedelta(days=38)) == (2, 2)
        assert read(timedelta(days=25)) == (15, 3)
        assert read(timedelta(0)) == (40, 5)


class TestTable:
    def test_table_is_missing_at_first(self, absent: DynamoLedger) -> None:
        assert not absent.exists()

    def test_missing_table_hints_at_setup(self, absent: DynamoLedger) -> None:
        for use in (lambda: absent.append(entry()), lambda: absent.entries("staging")):
            with pytest.raises(NotFound) as caught:
                use()

            assert caught.value.hint == "create it: inv setup"

    def test_table_is_billed_by_request_and_recoverable(self, ledger: DynamoLedger, aws: Aws) -> None:
        table = aws.dynamodb().describe_table(TableName=ledger.table_name)["Table"]
        backups = aws.dynamodb().describe_continuous_backups(TableName=ledger.table_name)

        assert ledger.exists()
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"

    def test_create_can_be_repeated(self, ledger: DynamoLedger) -> None:
        ledger.append(entry())

        ledger.create()

        assert ledger.entries("staging") == (entry(),)
