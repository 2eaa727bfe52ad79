"""Transactions that are cancelled: what is tried again, what is in the way, and what is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from kaizen_tasks.adapters.aws.dynamodb import transaction
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb.client import DynamoDBClient

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

NONE = {"Code": "None"}
ITEM: Item = {"pk": {"S": "ledger#prod"}, "sk": {"S": "n#1"}, "nonce": {"S": "ours"}}
OTHER: Any = {"Put": {"TableName": "kaizen-web", "Item": {"pk": {"S": "outbox"}, "sk": {"S": "n#1"}}}}


class Client:
    """A client whose answers are scripted.

    Attributes:
        dynamodb: the client.
        pauses: the seconds that were waited between attempts.
    """

    def __init__(self) -> None:
        self.dynamodb: DynamoDBClient = boto3.client(
            "dynamodb",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.stubber = Stubber(self.dynamodb)
        self.pauses: list[float] = []

    def succeeds(self) -> None:
        self.stubber.add_response("transact_write_items", {})

    def fails(self, code: str) -> None:
        self.stubber.add_client_error("transact_write_items", service_error_code=code)

    def is_cancelled(self, *reasons: dict[str, Any]) -> None:
        self.stubber.add_client_error(
            "transact_write_items",
            service_error_code="TransactionCanceledException",
            modeled_fields={"CancellationReasons": [*reasons]},
        )


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    client = Client()
    monkeypatch.setattr("time.sleep", client.pauses.append)
    with client.stubber:
        yield client
    client.stubber.assert_no_pending_responses()


def test_transaction_that_is_carried_out_has_no_obstacles(client: Client) -> None:
    client.succeeds()

    assert write_transaction(client.dynamodb, [OTHER]) == ()
    assert client.pauses == []


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"]
)
def test_busy_table_is_tried_again(client: Client, code: str) -> None:
    client.is_cancelled(NONE, {"Code": code})
    client.is_cancelled({"Code": code}, NONE)
    client.succeeds()

    assert write_transaction(client.dynamodb, [OTHER, OTHER]) == ()
    assert len(client.pauses) == 2
    assert client.pauses[0] <= transaction.FIRST_PAUSE_SECONDS


def test_attempt_that_is_still_at_work_is_awaited(client: Client) -> None:
    client.fails("TransactionInProgressException")
    client.succeeds()

    assert write_transaction(client.dynamodb, [OTHER]) == ()


def test_condition_that_is_not_met_is_an_obstacle(client: Client) -> None:
    client.is_cancelled(NONE, {"Code": "ConditionalCheckFailed", "Item": ITEM}, {"Code": "ConditionalCheckFailed"})

    assert write_transaction(client.dynamodb, [OTHER, OTHER, OTHER]) == (None, ITEM, {})
    assert client.pauses == []


def test_other_reasons_are_errors(client: Client) -> None:
    client.is_cancelled(NONE, {"Code": "ValidationError", "Message": "too large"})

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        write_transaction(client.dynamodb, [OTHER, OTHER])


def test_other_errors_are_not_tried_again(client: Client) -> None:
    client.fails("AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDenied"):
        write_transaction(client.dynamodb, [OTHER])


def test_table_that_stays_busy_is_given_up(client: Client) -> None:
    for _ in range(transaction.TOTAL_ATTEMPTS):
        client.is_cancelled({"Code": "TransactionConflict"})

    with pytest.raises(Unreachable, match="the table is too busy to be written"):
        write_transaction(client.dynamodb, [OTHER])
