"""The ledger in DynamoDB, on the local cloud."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.errors import NotFound
from tests.contracts.ledger import LedgerContract, entry
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.session import Aws


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

        (item,) = aws.dynamodb().scan(TableName=ledger.table_name)["Items"]

        assert item["pk"] == {"S": "ledger#staging"}
        assert item["sk"]["S"].startswith("2026-11-20T12:00:00.000000+00:00#")

    def test_leaves_other_kinds_of_items_alone(self, ledger: DynamoLedger, aws: Aws) -> None:
        lock = {"pk": {"S": "lock#staging"}, "sk": {"S": "lock"}}
        aws.dynamodb().put_item(TableName=ledger.table_name, Item=lock)

        assert ledger.entries("staging") == ()

    def test_reads_across_pages(self, ledger: DynamoLedger) -> None:
        for _ in range(25):
            ledger.append(entry())

        assert len(ledger.entries("staging", limit=23)) == 23


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
