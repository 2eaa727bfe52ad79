"""AWS's query protocol, with operations of STS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs
import pytest

from kaizen_tasks.localcloud.iam.query_protocol import AwsQueryEndpoint
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from tests.localcloud.iam.requests import http_request

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.signing.sessions import Principal

ROLE = "arn:aws:iam::210987654321:role/release"


@attrs.define
class Echo:
    """A service that keeps what it is asked."""

    asked: list[dict[str, Any]] = attrs.field(factory=list)
    name: str = "sts"

    def assume_role(self, request: dict[str, Any], _caller: Principal | None) -> dict[str, Any]:
        self.asked.append(request)
        expiration = datetime(2026, 11, 28, tzinfo=UTC)
        return {"Credentials": {"AccessKeyId": "A<&", "Expiration": expiration}, "SourceIdentity": None}

    def get_caller_identity(self, _request: dict[str, Any], _caller: Principal | None) -> dict[str, Any]:
        raise ServiceError("AccessDenied", "no & no", status=403)

    def get_session_token(self, _request: dict[str, Any], _caller: Principal | None) -> dict[str, Any]:
        raise RuntimeError("a bug")


def ask(operation: str, service: Echo, content: bytes = b"", **fields: object) -> tuple[int, str]:
    body = content or urlencode({"Action": operation, "Version": "2011-06-15", **fields}).encode()
    answer = AwsQueryEndpoint(service=service).handle(http_request("/", body), operation, None)
    assert isinstance(answer.body, bytes)
    return answer.status, answer.body.decode()


def test_fields_become_structures_and_lists() -> None:
    service = Echo()
    tags: dict[str, Any] = {
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "web",
        "Tags.member.2.Key": "x",
        "Tags.member.2.Value": "",
    }
    ask("AssumeRole", service, RoleArn=ROLE, RoleSessionName="ada", DurationSeconds="900", **tags, Unknown="1")
    assert service.asked == [
        {
            "RoleArn": ROLE,
            "RoleSessionName": "ada",
            "DurationSeconds": 900,
            "Tags": [{"Key": "team", "Value": "web"}, {"Key": "x", "Value": ""}],
        }
    ]


def test_output_is_xml_without_absent_members() -> None:
    status, text = ask("AssumeRole", Echo(), RoleArn=ROLE, RoleSessionName="ada")
    assert status == 200
    assert text.startswith('<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>')
    assert "<AccessKeyId>A&lt;&amp;</AccessKeyId><Expiration>2026-11-28T00:00:00Z</Expiration>" in text
    assert "SourceIdentity" not in text
    assert "<RequestId>" in text


@pytest.mark.parametrize(
    ("operation", "fields", "content", "status", "words"),
    [
        ("AssumeRole", {"RoleArn": ROLE}, b"", 400, "<Code>ValidationError</Code>"),
        ("AssumeRole", {"DurationSeconds": "long"}, b"", 400, "<Code>MalformedInput</Code>"),
        ("AssumeRole", {"DurationSeconds": ""}, b"", 400, "<Code>MalformedInput</Code>"),
        ("AssumeRole", {}, b"Action=AssumeRole&RoleArn=\xff", 400, "<Code>"),
        ("AssumeRoot", {}, b"", 400, "<Code>InvalidAction</Code>"),
        ("__init__", {}, b"", 400, "<Code>InvalidAction</Code>"),
        ("GetCallerIdentity", {}, b"", 403, "<Code>AccessDenied</Code><Message>no &amp; no</Message>"),
        ("GetSessionToken", {}, b"", 500, "<Code>InternalFailure</Code>"),
    ],
)
def test_errors(operation: str, fields: dict[str, str], content: bytes, status: int, words: str) -> None:
    answered_status, text = ask(operation, Echo(), content, **fields)
    assert answered_status == status
    assert words in text
