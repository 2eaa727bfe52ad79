"""Two accounts and regions of a local cloud: a role is assumed, and images are copied between the registries."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.assumed_role import AssumedRole
from kaizen_tasks.adapters.aws.ecr import EcrRegistry
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from tests.support import oci_images

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

TARGET, REGION = "210987654321", "eu-central-1"


@pytest.fixture
def abroad(aws: Aws) -> Aws:
    """The clients of another account in another region."""
    role = AssumedRole(arn=f"arn:aws:iam::{TARGET}:role/release", session_name=lambda: "ada.coach")
    return Aws(region=REGION, profile="", account=TARGET, source=aws, role_credentials=role.credentials)


def _registry(aws: Aws, *repositories: str) -> EcrRegistry:
    ecr = aws.ecr()
    for name in repositories:
        with suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=name, force=True)
        ecr.create_repository(repositoryName=name)
    return EcrRegistry(aws, clock=SystemClock())


def test_role_is_that_of_the_other_account(abroad: Aws) -> None:
    assert abroad.account_id() == TARGET
    assert abroad.principal() == f"arn:aws:sts::{TARGET}:assumed-role/release/ada.coach"


def test_image_is_copied_to_another_account_and_mounted_in_further_repositories(
    aws: Aws, abroad: Aws, cloud: Cloud
) -> None:
    origin, registry = _registry(aws, "accounts/staging"), _registry(abroad, "accounts/prod", "accounts/mark")
    abroad.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    sample = oci_images.image().push(
        OciClient(StaticCredentials(origin.credentials()), clock=SystemClock()), "accounts/staging", "v1.2.3"
    )
    before = len(cloud.requests)

    first, further = (
        registry.copy(
            digest=sample.digest, source="accounts/staging", target=f"accounts/{name}", tag="v1.2.3", origin=origin
        )
        for name in ("prod", "mark")
    )

    assert (first.blobs_mounted, first.blobs_uploaded) == (0, 3)
    assert (further.blobs_mounted, further.blobs_uploaded, further.bytes_sent) == (3, 0, 0)
    assert registry.find_image("accounts/mark", "v1.2.3") == origin.find_image("accounts/staging", "v1.2.3")
    downloads = [
        request
        for request in cloud.requests[before:]
        if request.get("method") == "GET" and "/accounts/staging/blobs/" in request["path"]
    ]
    assert len(downloads) == 3 + 1  # and the configuration, to describe the image


def test_registries_of_one_account_in_two_regions_are_apart(aws: Aws) -> None:
    other_region = Aws(region=REGION, profile="", account="", source=aws)
    origin, registry = _registry(aws, "accounts/staging"), _registry(other_region, "accounts/staging")
    sample = oci_images.image().push(
        OciClient(StaticCredentials(origin.credentials()), clock=SystemClock()), "accounts/staging", "v1.2.3"
    )

    assert registry.find_image("accounts/staging", "v1.2.3") is None
    copied = registry.copy(
        digest=sample.digest, source="accounts/staging", target="accounts/staging", tag="v1.2.3", origin=origin
    )

    assert copied.blobs_uploaded == 3
    assert registry.credentials().host != origin.credentials().host
