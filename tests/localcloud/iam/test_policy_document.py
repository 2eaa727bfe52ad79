"""What policies of resources permit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaizen_tasks.localcloud.iam.policy_document import PolicyRequest, is_permitted
from kaizen_tasks.localcloud.signing.sessions import Principal, role_session

HOME = "123456789012"
USER = Principal(account=HOME, arn=f"arn:aws:iam::{HOME}:user/local", user_id="AIDA")
ROLE_SESSION = role_session(HOME, "release", "ada", "AROA")
ACTION = "sts:AssumeRole"
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": ACTION}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements]})


def request(principal: Principal = USER, /, **context: str) -> PolicyRequest:
    return PolicyRequest(
        action=ACTION, principal=principal, context={key.replace("_", ":"): context[key] for key in context}
    )


@pytest.mark.parametrize(
    ("principal", "user", "role"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": HOME}, True, True),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, True, True),
        ({"AWS": "arn:aws:iam::210987654321:root"}, False, False),
        ({"AWS": [f"arn:aws:iam::{HOME}:role/ci/release"]}, False, True),
        ({"AWS": f"arn:aws:iam::{HOME}:role/other"}, False, False),
        ({"AWS": f"arn:aws:iam::{HOME}:user/local"}, True, False),
        ({"AWS": f"arn:aws:sts::{HOME}:assumed-role/release/ada"}, False, True),
        ({"Service": "ecs-tasks.amazonaws.com"}, False, False),
        (None, False, False),
    ],
)
def test_principal_of_a_statement(principal: object, *, user: bool, role: bool) -> None:
    text = policy({"Effect": "Allow", "Principal": principal, "Action": ACTION})
    assert (is_permitted(text, request(USER)), is_permitted(text, request(ROLE_SESSION))) == (user, role)


@pytest.mark.parametrize(
    ("condition", "context", "permits"),
    [
        ({"StringEquals": {"sts:ExternalId": "abc"}}, {"sts_ExternalId": "abc"}, True),
        ({"StringEquals": {"sts:externalid": ["x", "abc"]}}, {"sts_ExternalId": "abc"}, True),
        ({"StringEquals": {"sts:ExternalId": "abc"}}, {"sts_ExternalId": "ABC"}, False),
        ({"StringEquals": {"sts:ExternalId": "abc"}}, {}, False),
        ({"StringEqualsIfExists": {"sts:ExternalId": "abc"}}, {}, True),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "abc"}}, {"sts_ExternalId": "ABC"}, True),
        ({"StringNotEquals": {"sts:RoleSessionName": "root"}}, {"sts_RoleSessionName": "ada"}, True),
        ({"StringNotEquals": {"sts:RoleSessionName": "root"}}, {"sts_RoleSessionName": "root"}, False),
        ({"StringLike": {"sts:RoleSessionName": "kaizen-*"}}, {"sts_RoleSessionName": "kaizen-ada"}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": True}}, {"aws_MultiFactorAuthPresent": "true"}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"aws_MultiFactorAuthPresent": "false"}, False),
        ({"Null": {"sts:ExternalId": "true"}}, {}, True),
        ({"Null": {"sts:ExternalId": "true"}}, {"sts_ExternalId": "abc"}, False),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}, {"aws_MultiFactorAuthAge": "1"}, False),
        ("always", {}, False),
        ({"StringEquals": "always"}, {}, False),
    ],
)
def test_condition_of_a_statement(condition: object, context: dict[str, str], *, permits: bool) -> None:
    assert is_permitted(policy({**ANYBODY, "Condition": condition}), request(**context)) is permits


@pytest.mark.parametrize(
    ("action", "permits"),
    [("sts:*", True), ("STS:assumerole", True), (["x:Y", ACTION], True), ("sts:TagSession", False)],
)
def test_action_of_a_statement(action: object, *, permits: bool) -> None:
    assert is_permitted(policy({**ANYBODY, "Action": action}), request()) is permits


def test_denial_comes_before_permission() -> None:
    denial = {**ANYBODY, "Effect": "Deny", "Condition": {"StringLike": {"sts:RoleSessionName": "eve*"}}}
    text = policy(ANYBODY, denial)
    assert is_permitted(text, request(sts_RoleSessionName="ada"))
    assert not is_permitted(text, request(sts_RoleSessionName="eve"))


def test_federated_principal_is_the_identity_provider() -> None:
    provider = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
    text = policy({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": ACTION})
    assert is_permitted(text, PolicyRequest(action=ACTION, federated=provider))
    assert not is_permitted(text, PolicyRequest(action=ACTION, federated=f"{provider}/other"))


@pytest.mark.parametrize(
    ("name", "permits"),
    [
        (f"arn:aws:iam::{HOME}:role/any", True),
        (HOME, True),
        ("arn:aws:iam::210987654321:root", False),
    ],
)
def test_somebody_of_whom_only_the_account_is_known(name: str, *, permits: bool) -> None:
    text = policy({"Effect": "Allow", "Principal": {"AWS": name}, "Action": "ecr:BatchGetImage"})
    assert is_permitted(text, PolicyRequest(action="ecr:BatchGetImage", account=HOME)) is permits


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[" * 100_000, "[]", "{}", '{"Statement": "x"}', '{"Statement": [1]}'),
        policy({**ANYBODY, "NotPrincipal": {"AWS": HOME}}),
    ],
)
def test_what_is_not_understood_permits_nothing(text: str) -> None:
    assert not is_permitted(text, request())
