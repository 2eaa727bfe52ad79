"""The outbox in DynamoDB, on the local cloud."""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.dynamodb.holds import DynamoHolds
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.outbox import DynamoOutbox
from kaizen_tasks.errors import NotFound
from tests.contracts.ledger import entry
from tests.contracts.outbox import NEWS, OutboxContract, queue
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.adapters.aws.session import Aws


@pytest.fixture
def news() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ledger(aws: Aws, news: threading.Event) -> DynamoLedger:
    ledger = DynamoLedger(aws, app=f"coach-{secrets.token_hex(4)}", clock=FakeClock(), news=news)
    ledger.create()
    return ledger


@pytest.fixture
def outbox(ledger: DynamoLedger, aws: Aws, news: threading.Event) -> DynamoOutbox:
    return DynamoOutbox(aws, app=ledger.table_name.removeprefix("kaizen-"), news=news)


@pytest.fixture
def holds(ledger: DynamoLedger, aws: Aws, news: threading.Event) -> DynamoHolds:
    return DynamoHolds(aws, app=ledger.table_name.removeprefix("kaizen-"), clock=FakeClock(), news=news)


class TestDynamo(OutboxContract):
    def test_threads_are_not_in_the_partition_that_every_command_reads(
        self, outbox: DynamoOutbox, ledger: DynamoLedger, aws: Aws
    ) -> None:
        ledger.append(entry(), NEWS[:1])
        outbox.remove(queue(outbox))

        keys = [item["pk"]["S"] for item in aws.dynamodb().scan(TableName=ledger.table_name)["Items"]]

        assert sorted({*keys}) == ["ledger#staging", "outbox#threads"]

    def test_items_of_later_versions_are_left_alone(self, outbox: DynamoOutbox, ledger: DynamoLedger, aws: Aws) -> None:
        ledger.append(entry(), NEWS[:1])
        for sort_key, document in (("n#9", "{}"), ("n#8", "not JSON"), ("m#7", '{"topic": "sung"}'), ("z#1", "{}")):
            item = {"pk": {"S": "outbox"}, "sk": {"S": sort_key}, "document": {"S": document}}
            aws.dynamodb().put_item(TableName=ledger.table_name, Item=item)

        content = outbox.content()

        assert (len(content.notifications), content.messages) == (1, ())

    def test_thread_of_a_later_version_goes_on_without_the_places_that_are_not_understood(
        self, outbox: DynamoOutbox, ledger: DynamoLedger, aws: Aws
    ) -> None:
        document = {"places": {"mark": ["beta", 3, "sung"], "prod": ["prod", 1, "promoted"]}, "whats_new": []}
        item: Item = {
            "pk": {"S": "outbox#threads"},
            "sk": {"S": "team#v1.2.3"},
            "document": {"S": json.dumps(document)},
        }
        aws.dynamodb().put_item(TableName=ledger.table_name, Item=item)

        assert set(outbox.thread("team", "v1.2.3").places) == {"prod"}

    def test_entry_whose_number_is_taken_is_written_under_the_next_one_with_its_notifications(
        self, outbox: DynamoOutbox, ledger: DynamoLedger, aws: Aws
    ) -> None:
        other = DynamoLedger(aws, app=ledger.table_name.removeprefix("kaizen-"), clock=FakeClock())
        other.entries("staging")
        ledger.append(entry())

        assert other.append(entry(), NEWS).number == 2
        assert len(outbox.content().notifications) == 2


def test_missing_table_hints_at_setup(aws: Aws, news: threading.Event) -> None:
    with pytest.raises(NotFound) as caught:
        DynamoOutbox(aws, app=f"coach-{secrets.token_hex(4)}", news=news).content()

    assert caught.value.hint == "create it: inv setup"
