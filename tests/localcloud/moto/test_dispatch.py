"""Dispatch of requests to moto without its server."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import EnvironBuilder

from kaizen_tasks.localcloud.moto.dispatch import dispatch
from kaizen_tasks.localcloud.moto.moto_errors import MotoError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import HttpResponse

JSON = "application/x-amz-json-1.0"


def call(service: str, target: str = "", document: object = None, *, path: str = "/", **named: Any) -> HttpResponse:
    """Send a request in the AWS JSON protocol."""
    headers = [("X-Amz-Target", target), ("Content-Type", JSON)] if target else []
    content = json.dumps(document or {}) if target else None
    return dispatch(service, "eu-west-1", EnvironBuilder(path, headers=headers, data=content, **named).get_environ())


def body_of(response: HttpResponse) -> Any:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


@pytest.mark.parametrize(
    ("service", "target", "key"),
    [
        ("dynamodb", "DynamoDB_20120810.ListTables", "TableNames"),
        ("dynamodb", "DynamoDBStreams_20120810.ListStreams", "Streams"),
        ("secretsmanager", "secretsmanager.ListSecrets", "SecretList"),
        ("logs", "Logs_20140328.DescribeLogGroups", "logGroups"),
    ],
)
def test_dispatch_uses_the_service_of_the_signature(service: str, target: str, key: str) -> None:
    response = call(service, target, method="POST")
    assert (response.status, body_of(response)[key]) == (200, [])


def test_dispatch_returns_the_error_code_of_aws() -> None:
    response = call("dynamodb", "DynamoDB_20120810.DescribeTable", {"TableName": "none"}, method="POST")
    assert response.status == 400
    assert body_of(response)["__type"].endswith("#ResourceNotFoundException")


@pytest.mark.parametrize("path", ["/", "/v1/domains"])
def test_unknown_service_is_not_implemented(path: str) -> None:
    with pytest.raises(MotoError, match="The local cloud does not offer codeartifact"):
        call("codeartifact", path=path)


def test_missing_dependency_of_moto_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto.kinesis.models", None)
    with pytest.raises(MotoError, match=r"moto needs moto.kinesis.models: pip install 'moto\[all\]'"):
        call("kinesis", "Kinesis_20131202.ListStreams", method="POST")
