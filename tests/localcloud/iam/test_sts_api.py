"""The operations of STS."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from kaizen_tasks.localcloud.iam.roles import Role
from kaizen_tasks.localcloud.iam.sts_api import Sts
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions, role_session
from tests.localcloud.iam.tokens import identity_token

HOME, OTHER = "123456789012", "210987654321"
USER = Principal(account=HOME, arn=f"arn:aws:iam::{HOME}:user/local", user_id="AIDA")
TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "abc"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{OTHER}:oidc-provider/ci.example"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {"ci.example:sub": "repo:acme/*"}},
        },
    ]
}
RELEASE = Role(account=OTHER, name="release", id="AROA1", trust=json.dumps(TRUST), max_session_seconds=7200)
NOW = 1_000_000.0
SESSIONS = Sessions("secret")
STS = Sts(
    sessions=SESSIONS,
    find_role=lambda account, name: RELEASE if (account, name) == (OTHER, "release") else None,
    identity_key="key",
    now=lambda: NOW,
)


def arn(name: str, account: str = OTHER) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def assume(name: str = "open", caller: Principal = USER, /, **request: Any) -> dict[str, Any]:
    return STS.assume_role({"RoleArn": arn(name), "RoleSessionName": "ada@laptop", **request}, caller)


def assume_by_token(name: str, token: str) -> dict[str, Any]:
    request = {"RoleArn": arn(name), "RoleSessionName": "job", "WebIdentityToken": token}
    return STS.assume_role_with_web_identity(request, None)


def principal_of(answer: dict[str, Any]) -> Principal:
    credentials = answer["Credentials"]
    session = SESSIONS.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert session is not None
    return session.principal


def test_role_that_nobody_created_is_open_and_in_its_account() -> None:
    answer = assume("path/to/open")
    session = principal_of(answer)
    assert STS.get_caller_identity({}, session) == {
        "UserId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "Account": OTHER,
        "Arn": f"arn:aws:sts::{OTHER}:assumed-role/open/ada@laptop",
    }
    assert session.user_id.startswith("AROA")
    assert principal_of(assume("open")).user_id == session.user_id


@pytest.mark.parametrize(
    ("external_id", "is_trusted"), [({"ExternalId": "abc"}, True), ({"ExternalId": "abd"}, False), ({}, False)]
)
def test_created_role_trusts_whom_its_policy_says(external_id: dict[str, str], *, is_trusted: bool) -> None:
    if is_trusted:
        assert principal_of(assume("release", **external_id)).account == OTHER
        return
    with pytest.raises(ServiceError) as refused:
        assume("release", **external_id)
    assert (refused.value.code, refused.value.status) == ("AccessDenied", 403)
    assert str(refused.value) == (
        f"User: {USER.arn} is not authorized to perform: sts:AssumeRole on resource: {arn('release')}"
    )


@pytest.mark.parametrize(
    ("name", "seconds", "is_chained", "limit"),
    [
        ("open", 3600, False, ""),
        ("open", 3601, False, "MaxSessionDuration set for this role."),
        ("release", 7200, False, ""),
        ("release", 7201, False, "MaxSessionDuration set for this role."),
        ("open", 3600, True, ""),
        ("open", 3601, True, "1 hour session limit for roles assumed by role chaining"),
    ],
)
def test_duration_of_a_session(name: str, seconds: int, limit: str, *, is_chained: bool) -> None:
    caller = role_session(HOME, "first", "ada", "AROA2") if is_chained else USER
    request = {"DurationSeconds": seconds, "ExternalId": "abc"}
    if limit:
        with pytest.raises(ServiceError, match=limit) as refused:
            assume(name, caller, **request)
        assert refused.value.code == "ValidationError"
        return
    credentials = assume(name, caller, **request)["Credentials"]
    session = SESSIONS.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert session is not None
    assert session.expires == NOW + seconds


@pytest.mark.parametrize(
    ("request_members", "words"),
    [
        ({"SerialNumber": "arn:aws:iam::123456789012:mfa/ada"}, "must provide both"),
        ({"TokenCode": "123456"}, "must provide both"),
        (
            {"SerialNumber": "arn:aws:iam::123456789012:mfa/ada", "TokenCode": "000000"},
            "invalid MFA one time pass code",
        ),
    ],
)
def test_multi_factor_authentication_can_fail(request_members: dict[str, str], words: str) -> None:
    with pytest.raises(ServiceError, match=words) as refused:
        assume(**request_members)
    assert refused.value.code == "AccessDenied"
    with pytest.raises(ServiceError, match=words):
        STS.get_session_token(request_members, USER)


def test_multi_factor_authentication_meets_the_condition_of_a_trust_policy() -> None:
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
    role = attrs.evolve(RELEASE, trust=json.dumps({"Statement": statement}))
    sts = attrs.evolve(STS, find_role=lambda _account, _name: role)
    request = {"RoleArn": arn("release"), "RoleSessionName": "ada"}
    with pytest.raises(ServiceError, match="not authorized"):
        sts.assume_role(request, USER)
    assert sts.assume_role({**request, "SerialNumber": "ada", "TokenCode": "123456"}, USER)


def test_session_token_is_of_the_user() -> None:
    assert principal_of(STS.get_session_token({}, USER)) == USER
    with pytest.raises(ServiceError, match="session credentials"):
        STS.get_session_token({}, role_session(HOME, "first", "ada", "AROA2"))


@pytest.mark.parametrize("text", ["release", "arn:aws:iam::2109:role/release", f"arn:aws:iam::{OTHER}:user/release"])
def test_text_that_is_no_role_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match=f"{text} is invalid"):
        STS.assume_role({"RoleArn": text, "RoleSessionName": "ada"}, USER)


def test_job_of_ci_assumes_a_role_by_its_identity_token() -> None:
    answer = assume_by_token("release", identity_token("key"))
    assert principal_of(answer).arn == f"arn:aws:sts::{OTHER}:assumed-role/release/job"
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("repo:acme/web", "sts.amazonaws.com")
    assert assume_by_token("open", identity_token("key", sub="repo:eve/web"))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (identity_token("key", sub="repo:eve/web"), "AccessDenied"),
        (identity_token("key", iss="https://other.example"), "AccessDenied"),
        (identity_token("key", exp=NOW), "ExpiredTokenException"),
        (identity_token("guess"), "InvalidIdentityToken"),
        (identity_token("key", algorithm="none"), "InvalidIdentityToken"),
        (identity_token("key", aud=[]), "InvalidIdentityToken"),
        *((text, "InvalidIdentityToken") for text in ("", "a.b.c", "....", "\u00e9.x.y", "e30.e30.")),
    ],
)
def test_identity_token_is_refused(token: str, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        assume_by_token("release", token)
    assert refused.value.code == code
