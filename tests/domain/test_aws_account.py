"""The AWS account as flows see it."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.aws_account import iam_user, person_in_session, role_session_name

ROLE = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_release_1f"


@pytest.mark.parametrize(
    ("principal", "person"),
    [
        (f"{ROLE}/ada@acme.example", "ada@acme.example"),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/release/ada", "ada"),
        (f"{ROLE}/botocore-session-1764000000", ""),
        (f"{ROLE}/aws-go-sdk-1764000000", ""),
        (f"{ROLE}/AWSCLI-Session", ""),
        (f"{ROLE}/GitHubActions", ""),
        (f"{ROLE}/i-0a1b2c3d4e5f60718", ""),
        (f"{ROLE}/0123456789abcdef0123456789abcdef", ""),
        ("arn:aws:iam::123456789012:user/ada", ""),
        (f"{ROLE}/AWSCodeBuild-1a2b3c4d-5e6f", ""),
        (f"{ROLE}/eks-prod-releases-1a2b", ""),
        ("arn:aws:sts::123456789012:federated-user/ada", "ada"),
        ("arn:aws:iam::123456789012:root", ""),
        ("", ""),
    ],
)
def test_session_of_a_role_names_a_person(principal: str, person: str) -> None:
    assert person_in_session(principal) == person


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("arn:aws:iam::123456789012:user/ada", "ada"),
        ("arn:aws-cn:iam::123456789012:user/teams/web/deployer", "deployer"),
        ("arn:aws:iam::123456789012:root", ""),
        (f"{ROLE}/ada", ""),
        ("", ""),
    ],
)
def test_iam_user_has_a_name(principal: str, name: str) -> None:
    assert iam_user(principal) == name


@pytest.mark.parametrize(
    ("actor", "app", "name"),
    [
        ("ada@laptop", "coach", "ada@laptop.coach"),
        ("ada@acme.example", "coach", "ada@acme.example.coach"),
        ("Ada Lovelace (CI)", "coach", "Ada-Lovelace-CI.coach"),
        ("{0f9c-uuid}", "coach", "0f9c-uuid.coach"),
        ("Žofie", "coach", "ofie.coach"),
        ("李", "coach", "kaizen.coach"),
        ("a" * 80, "coach", "a" * 58 + ".coach"),
        ("ada", "c" * 80, "ada." + "c" * 32),
        ("", "c", "kaizen.c"),
    ],
)
def test_session_of_a_role_is_named_after_person_and_app(actor: str, app: str, name: str) -> None:
    assert role_session_name(actor, app) == name
    assert 2 <= len(name) <= 64
