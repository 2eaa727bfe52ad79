"""What clients get for requests that moto lacks or trips over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

KEY = {"name": {"S": "prod"}}


@pytest.fixture(scope="module")
def dynamodb(cloud: Cloud) -> Any:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="expressions",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="expressions", Item={**KEY, "amount": {"N": "1"}, "letters": {"S": "x"}})
    return client


def failure(call: Any, **request: Any) -> tuple[int, str]:
    """Return the status and code of a refused request."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    "condition",
    ["amount = ", "((amount = :one)", "nonsense(amount, :one)", "amount = :one junk", "NOT", "a[x] = :one", ":one;"],
)
def test_condition_that_does_not_parse_is_a_validation_exception(dynamodb: Any, condition: str) -> None:
    values = {"ExpressionAttributeValues": {":one": {"N": "1"}}} if ":one" in condition else {}
    conditional = {"TableName": "expressions", "ConditionExpression": condition, **values}
    assert failure(dynamodb.put_item, Item=KEY, **conditional) == (400, "ValidationException")
    assert failure(dynamodb.delete_item, Key=KEY, **conditional) == (400, "ValidationException")
    transaction = [{"Put": {"Item": KEY, **conditional}}]
    assert failure(dynamodb.transact_write_items, TransactItems=transaction) == (400, "ValidationException")


def test_undefined_values_are_a_validation_exception(dynamodb: Any) -> None:
    conditional = {"TableName": "expressions", "ConditionExpression": "#n = :v"}
    assert failure(dynamodb.put_item, Item=KEY, **conditional) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("condition", "value", "is_true"),
    [
        ("amount\n=\t:v", {"N": "1"}, True),
        ("amount > :v", {"S": "a"}, False),
        ("letters BETWEEN :v AND :v", {"N": "1"}, False),
        ("size(nothing) > :v", {"N": "0"}, False),
        ("size(letters) >= :v", {"N": "1"}, True),
    ],
)
def test_values_of_any_types_are_compared(
    dynamodb: Any, condition: str, value: dict[str, str], *, is_true: bool
) -> None:
    request = {
        "TableName": "expressions",
        "Key": KEY,
        "UpdateExpression": "SET seen = :v",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": {":v": value},
    }
    if is_true:
        dynamodb.update_item(**request)
    else:
        assert failure(dynamodb.update_item, **request) == (400, "ConditionalCheckFailedException")


def test_repeated_transaction_is_executed_once(dynamodb: Any) -> None:
    add = {
        "TableName": "expressions",
        "Key": {"name": {"S": "counter"}},
        "UpdateExpression": "ADD #n :one",
        "ExpressionAttributeNames": {"#n": "number"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken="counted-once")
    item = dynamodb.get_item(TableName="expressions", Key={"name": {"S": "counter"}})["Item"]
    assert item["number"] == {"N": "1"}
    other = [{"Delete": {"TableName": "expressions", "Key": {"name": {"S": "counter"}}}}]
    refused = failure(dynamodb.transact_write_items, TransactItems=other, ClientRequestToken="counted-once")
    assert refused == (400, "IdempotentParameterMismatchException")


def test_operations_that_moto_lacks_are_unknown(cloud: Cloud, dynamodb: Any) -> None:
    assert failure(dynamodb.list_global_tables) == (400, "UnknownOperationException")
    assert failure(cloud.client("sts").get_web_identity_token, Audience=["x"], SigningAlgorithm="RS256") == (
        400,
        "InvalidAction",
    )
    assert failure(cloud.client("apprunner").create_connection, ConnectionName="abcd", ProviderType="GITHUB") == (
        400,
        "UnknownOperationException",
    )


def test_malformed_requests_are_explained_by_the_model(dynamodb: Any) -> None:
    expected = r"'RequestItems.expressions.Keys' failed .*: Member must not be null"
    with pytest.raises(ClientError, match=expected) as caught:
        dynamodb.batch_get_item(RequestItems={"expressions": {}})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert failure(dynamodb.put_item, TableName="expressions", Item={**KEY, "empty": {}}) == (
        400,
        "ValidationException",
    )


def test_secret_that_does_not_exist_is_a_400(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    assert failure(secrets.get_secret_value, SecretId="nowhere") == (400, "ResourceNotFoundException")
