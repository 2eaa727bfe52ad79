"""What DynamoDB refuses in expressions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaizen_tasks.localcloud.moto.expressions import check_expressions
from kaizen_tasks.localcloud.moto.moto_errors import MotoError

NO_NAME = "An expression attribute name used in the document path is not defined"
NO_VALUE = "An expression attribute value used in expression is not defined"
ONE = {":one": {"N": "1"}}


def check(**request: Any) -> None:
    check_expressions(json.dumps(request).encode())


@pytest.mark.parametrize(
    "request_",
    [
        {"ConditionExpression": "v = :one", "ExpressionAttributeValues": ONE},
        {"UpdateExpression": "SET #a.b[0] = #a.b[0]-:one", "ExpressionAttributeNames": {"#a": "x"}}
        | {"ExpressionAttributeValues": ONE},
        {"KeyConditionExpression": "#k = :one", "FilterExpression": "#v = :one", "ProjectionExpression": "#k,#v"}
        | {"ExpressionAttributeNames": {"#k": "k", "#v": "v"}, "ExpressionAttributeValues": ONE},
        {"TransactItems": [{"Put": {"ConditionExpression": "attribute_not_exists(k)"}}, None, {"Delete": 7}]},
        {"TransactItems": "malformed"},
        {"ConditionExpression": 7, "Item": {"Expression": {"S": "x"}}},
    ],
)
def test_request_is_accepted(request_: dict[str, Any]) -> None:
    check(**request_)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 9999, b"\xff"])
def test_body_that_is_no_object_is_left_to_moto(content: bytes) -> None:
    check_expressions(content)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"ConditionExpression": "v = :two"},
            f"Invalid ConditionExpression: {NO_VALUE}; attribute value: :two",
        ),
        (
            {"FilterExpression": "#a = :one", "ExpressionAttributeValues": ONE},
            f"Invalid FilterExpression: {NO_NAME}; attribute name: #a",
        ),
        ({"UpdateExpression": " "}, "Invalid UpdateExpression: The expression can not be empty;"),
        (
            {"ConditionExpression": "attribute_exists(v)", "ExpressionAttributeValues": ONE},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:one}",
        ),
        (
            {"ConditionExpression": "v = one", "ExpressionAttributeValues": {"one": {"N": "1"}}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "one"',
        ),
        (
            {"ConditionExpression": "v = w", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        ({"ExpressionAttributeValues": ONE}, "ExpressionAttributeValues can only be specified when using expressions"),
    ],
)
def test_request_is_refused(request_: dict[str, Any], message: str) -> None:
    for request in (request_, {"TransactItems": [{"Update": {"TableName": "x"}}, {"Put": request_}]}):
        with pytest.raises(MotoError) as caught:
            check(**request)
        assert (caught.value.code, caught.value.message) == ("ValidationException", message)
