"""Temporary credentials."""

from __future__ import annotations

import base64
import json

import pytest

from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions, role_session

SESSION = role_session("210987654321", "release", "ada", "AROA1")


def test_credentials_are_recognised_by_another_process_with_the_same_secret() -> None:
    issued = Sessions("secret").issue(SESSION, 1000.0)
    found = Sessions("secret").find(issued.access_key_id, issued.session_token)
    assert found is not None
    assert (found.principal, found.expires, found.secret_access_key) == (SESSION, 1000.0, issued.secret_access_key)


def test_credentials_look_like_those_of_aws_and_differ() -> None:
    one, other = (Sessions("secret").issue(SESSION, None) for _ in range(2))
    assert one.access_key_id.startswith("ASIA")
    assert (len(one.access_key_id), len(one.secret_access_key)) == (20, 40)
    assert one.secret_access_key not in one.session_token
    assert not {one.access_key_id, one.secret_access_key} & {other.access_key_id, other.secret_access_key}
    assert one.secret_access_key not in repr(one)


def test_forged_credentials_are_not_recognised() -> None:
    sessions = Sessions("secret")
    issued, other = sessions.issue(SESSION, 1000.0), sessions.issue(SESSION, 1000.0)
    content, _, signature = issued.session_token.partition(".")
    claim = {**json.loads(base64.urlsafe_b64decode(content)), "account": "123456789012"}
    forged = base64.urlsafe_b64encode(json.dumps(claim).encode()).decode()
    for token in ("", "x", content, f"{forged}.{signature}", f"{issued.session_token}0", "\u00e9"):
        assert sessions.find(issued.access_key_id, token) is None
    assert sessions.find(issued.access_key_id, other.session_token) is None
    assert Sessions("other").find(issued.access_key_id, issued.session_token) is None


@pytest.mark.parametrize(
    ("principal", "role"),
    [
        (SESSION, "arn:aws:iam::210987654321:role/release"),
        (Principal(account="123456789012", arn="arn:aws:iam::123456789012:user/local", user_id="AIDA"), ""),
    ],
)
def test_role_of_a_session(principal: Principal, role: str) -> None:
    assert (principal.role_arn, principal.is_role_session) == (role, bool(role))
