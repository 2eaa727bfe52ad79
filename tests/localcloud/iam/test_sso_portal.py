"""The portal that SDKs ask for the credentials of a profile with an `sso_session`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.iam.sso_portal import PORTAL_PATH, SsoPortal
from kaizen_tasks.localcloud.signing.sessions import Sessions
from tests.localcloud.iam.requests import http_request

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import HttpResponse

SESSIONS = Sessions("secret")
PORTAL = SsoPortal(sessions=SESSIONS, access_token="hush", now=lambda: 1000.0)


def ask(query: str, token: str = "hush") -> HttpResponse:
    # The header's name has underscores: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/
    request = http_request(f"{PORTAL_PATH}?{query}")
    request.headers["x-amz-sso_bearer_token"] = token  # type: ignore[index]
    return PORTAL.handle(request)


def test_credentials_of_a_permission_set() -> None:
    answer = ask("account_id=210987654321&role_name=Deployer")
    assert isinstance(answer.body, bytes)
    credentials = json.loads(answer.body)["roleCredentials"]
    session = SESSIONS.find(credentials["accessKeyId"], credentials["sessionToken"])
    assert session is not None
    assert session.principal.arn.startswith(
        "arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Deployer_210987654321"
    )
    assert (session.expires, session.secret_access_key) == (4600.0, credentials["secretAccessKey"])


@pytest.mark.parametrize("token", ["", "guess", "\u00e9"])
def test_wrong_access_token_is_refused(token: str) -> None:
    answer = ask("account_id=210987654321&role_name=Deployer", token)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (401, "UnauthorizedException")


@pytest.mark.parametrize("query", ["", "account_id=210987654321", "account_id=2109&role_name=Deployer", "role_name=x"])
def test_incomplete_request_is_refused(query: str) -> None:
    answer = ask(query)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
