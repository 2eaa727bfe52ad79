"""Client request tokens of transactions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaizen_tasks.localcloud.moto.idempotency import IdempotencyTokens
from kaizen_tasks.localcloud.moto.journal import JournalRequest
from kaizen_tasks.localcloud.moto.moto_errors import MotoError
from kaizen_tasks.localcloud.server.http_message import HttpResponse

RESPONSE = HttpResponse(status=200, body=b"{}")


def transaction(at: float = 0, operation: str = "TransactWriteItems", **document: Any) -> JournalRequest:
    return JournalRequest(
        service="dynamodb",
        region="eu-west-1",
        target=f"DynamoDB_20120810.{operation}",
        kind="application/x-amz-json-1.0",
        content=json.dumps(document).encode(),
        seed=1,
        at=at,
    )


def test_repeated_transaction_has_its_first_response() -> None:
    tokens = IdempotencyTokens()
    assert tokens.find(transaction(ClientRequestToken="a", TransactItems=[1])) is None
    tokens.remember(transaction(ClientRequestToken="a", TransactItems=[1]), RESPONSE)
    assert tokens.find(transaction(TransactItems=[1], ClientRequestToken="a", at=600)) is RESPONSE
    assert tokens.find(transaction(ClientRequestToken="b", TransactItems=[1])) is None


def test_token_of_another_transaction_is_refused() -> None:
    tokens = IdempotencyTokens()
    tokens.remember(transaction(ClientRequestToken="a", TransactItems=[1]), RESPONSE)
    with pytest.raises(MotoError) as caught:
        tokens.find(transaction(ClientRequestToken="a", TransactItems=[2]))
    assert caught.value.code == "IdempotentParameterMismatchException"


def test_token_is_forgotten_after_ten_minutes() -> None:
    tokens = IdempotencyTokens()
    tokens.remember(transaction(ClientRequestToken="a", TransactItems=[1]), RESPONSE)
    assert tokens.find(transaction(at=601, ClientRequestToken="a", TransactItems=[2])) is None
    tokens.remember(transaction(at=601, ClientRequestToken="b", TransactItems=[1]), RESPONSE)
    assert tokens.find(transaction(at=1, ClientRequestToken="a", TransactItems=[1])) is None


@pytest.mark.parametrize(
    "request_", [transaction(TransactItems=[1]), transaction(operation="PutItem", ClientRequestToken="a")]
)
def test_request_without_a_token_is_executed(request_: JournalRequest) -> None:
    tokens = IdempotencyTokens()
    tokens.remember(request_, RESPONSE)
    assert tokens.find(request_) is None
