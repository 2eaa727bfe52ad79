"""Transactions write all or nothing, and cost what they write, however large the table is."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from moto.dynamodb.exceptions import MultipleTransactionsException, TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item

from kaizen_tasks.localcloud.moto.transactions import write_with_saved_items

pytestmark = pytest.mark.unit

ABSENT = "attribute_not_exists(pk)"
write = write_with_saved_items(inspect.unwrap(DynamoDBBackend.transact_write_items))


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": "app"}, "sk": {"S": name}}


def put(name: str, **fields: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "app", "Item": {**key(name), "value": {"S": "new"}}, **fields}}


def delete(name: str) -> dict[str, Any]:
    return {"Delete": {"TableName": "app", "Key": key(name)}}


def update(name: str) -> dict[str, Any]:
    values = {":value": {"S": "new"}}
    expression = {"UpdateExpression": "SET #value = :value", "ExpressionAttributeNames": {"#value": "value"}}
    return {"Update": {"TableName": "app", "Key": key(name), "ExpressionAttributeValues": values, **expression}}


def backend(*, size: int, is_streamed: bool = False) -> DynamoDBBackend:
    """Return DynamoDB with a table of items whose names are numbers."""
    created = DynamoDBBackend("eu-west-1", "123456789012")
    created.create_table(
        "app",
        schema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        throughput=None,
        attr=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        global_indexes=[],
        indexes=[],
        streams={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"} if is_streamed else None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=None,
        warm_throughput=None,
    )
    for number in range(size):
        created.tables["app"].put_item({**key(str(number)), "value": {"S": "old"}})
    return created


def values(dynamodb: DynamoDBBackend) -> dict[str, str]:
    """Return the values of the table's items by name."""
    items = [item.to_json()["Attributes"] for item in dynamodb.tables["app"].all_items()]
    return {item["sk"]["S"]: item["value"]["S"] for item in items}


def test_transaction_writes_all() -> None:
    dynamodb = backend(size=3)

    write(dynamodb, [put("0"), update("1"), delete("2"), put("3", ConditionExpression=ABSENT), update("4")])

    assert values(dynamodb) == {"0": "new", "1": "new", "3": "new", "4": "new"}


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("obstacle", "error"),
    [
        (put("5", ConditionExpression=ABSENT), TransactionCanceledException),
        (put("0"), MultipleTransactionsException),
        ({"Put": {"TableName": "app", "Item": {"pk": {"S": "app"}}}}, TransactionCanceledException),
    ],
)
def test_transaction_that_is_refused_changes_nothing(
    obstacle: dict[str, Any], error: type[Exception], *, is_streamed: bool
) -> None:
    dynamodb = backend(size=6, is_streamed=is_streamed)
    before = values(dynamodb)

    with pytest.raises(error):
        write(dynamodb, [put("0"), update("1"), delete("2"), put("new"), update("newer"), obstacle])
    assert values(dynamodb) == before
    stream: Any = dynamodb.tables["app"].stream_shard
    assert stream is None or len(stream.items) == len(before)
    write(dynamodb, [put("new")])
    assert values(dynamodb) == {**before, "new": "new"}


def test_transaction_does_not_copy_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb, copied, original = backend(size=200), [], Item.__deepcopy__

    def copy_item(self: Item, memo: dict[int, Any]) -> Item:
        copied.append(self)
        return original(self, memo)

    monkeypatch.setattr(Item, "__deepcopy__", copy_item)
    write(dynamodb, [delete(str(number)) for number in range(60)])

    assert len(copied) == 60
    assert len(values(dynamodb)) == 140
