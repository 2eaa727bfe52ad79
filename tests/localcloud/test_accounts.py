"""Identities and temporary credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.local_cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

OTHER_ACCOUNT = "210987654321"


def client(cloud: Cloud, service: Any, credentials: dict[str, Any], **changes: str) -> Any:
    """Return a client with temporary credentials."""
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=REGION,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=changes.get("secret", credentials["SecretAccessKey"]),
        aws_session_token=changes.get("token", credentials["SessionToken"]),
    )


def assume(cloud: Cloud, account: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{account}:role/deployer"
    answer: dict[str, Any] = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="ada")
    return answer


def test_caller_is_a_user_of_iam(cloud: Cloud) -> None:
    identity = cloud.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/local"
    assert identity["UserId"].startswith("AIDA")


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT])
def test_account_of_an_assumed_role_counts(cloud: Cloud, account: str) -> None:
    assumed = assume(cloud, account)
    identity = client(cloud, "sts", assumed["Credentials"]).get_caller_identity()
    arn = f"arn:aws:sts::{account}:assumed-role/deployer/ada"
    assert (identity["Account"], identity["Arn"]) == (account, arn)
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    assert client(cloud, "ecr", assumed["Credentials"]).describe_registry()["registryId"] == account


@pytest.mark.parametrize("changes", [{"token": "guess"}, {"secret": "guess"}])
def test_wrong_temporary_credentials_are_refused(cloud: Cloud, changes: dict[str, str]) -> None:
    with pytest.raises(ClientError) as caught:
        client(cloud, "ecr", assume(cloud, ACCOUNT)["Credentials"], **changes).describe_registry()
    assert caught.value.response["Error"]["Code"] in {"UnrecognizedClientException", "InvalidSignatureException"}
