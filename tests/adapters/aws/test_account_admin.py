"""The AWS account, on the local cloud."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws import lifecycle_policy
from kaizen_tasks.adapters.aws.account_admin import AwsAccount
from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.ecr import EcrRegistry
from kaizen_tasks.adapters.aws.iam.actions import task_actions
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.domain.lifecycle import LifecycleRule
from kaizen_tasks.errors import Refused
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.account import REPOSITORY, AccountAdminContract
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings
from tests.support import oci_images
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

POLICY = {
    "rules": [
        {
            "rulePriority": 3,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "selection": {
                "tagStatus": "tagged",
                "tagPrefixList": ["dev-"],
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 7,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["*-rc*"],
                "countType": "sinceImagePulled",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "transition", "targetStorageClass": "archive"},
        },
        {
            "rulePriority": 4,
            "selection": {
                "tagStatus": "any",
                "storageClass": "archive",
                "countType": "sinceImageTransitioned",
                "countUnit": "days",
                "countNumber": 100,
            },
            "action": {"type": "expire"},
        },
    ]
}


def _account(aws: Aws, *, ahead: float = 0.0) -> AwsAccount:
    clock = SystemClock(offset=lambda: timedelta(seconds=ahead))
    ledger = DynamoLedger(aws, app="web", clock=clock)
    return AwsAccount(aws, settings=settings(), ledger=ledger, platform=AppRunnerPlatform(aws), clock=clock)


@pytest.fixture
def account(aws: Aws) -> AwsAccount:
    """An account with an empty repository and no table."""
    ecr, dynamodb = aws.ecr(), aws.dynamodb()
    with suppress(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName=REPOSITORY, force=True)
    ecr.create_repository(repositoryName=REPOSITORY)
    ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    with suppress(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.delete_table(TableName="kaizen-web")
    return _account(aws)


class TestAws(AccountAdminContract):
    def test_lists_every_image_with_its_tags(self, account: AwsAccount, aws: Aws) -> None:
        registry = EcrRegistry(aws, clock=FakeClock(datetime.now(UTC)))
        sample = oci_images.image()
        sample.push(OciClient(StaticCredentials(registry.credentials()), clock=SystemClock()), REPOSITORY, "v1.2.3")
        registry.move_tag(repository=REPOSITORY, tag="latest", digest=sample.digest)

        (image,) = account.list_images(REPOSITORY)

        assert image.digest == sample.digest
        assert set(image.tags) == {"v1.2.3", "latest"}
        assert abs(datetime.now(UTC) - image.pushed_at) < timedelta(minutes=1)

    def test_reads_the_lifecycle_policy(self, account: AwsAccount, aws: Aws) -> None:
        aws.ecr().put_lifecycle_policy(repositoryName=REPOSITORY, lifecyclePolicyText=json.dumps(POLICY))

        assert account.lifecycle_rules(REPOSITORY) == (
            LifecycleRule(priority=3, tag_status="any", max_images=5),
            LifecycleRule(priority=2, tag_status="tagged", tag_patterns=("dev-*",), max_age_days=7),
            LifecycleRule(
                priority=1, tag_status="tagged", tag_patterns=("*-rc*",), max_age_days=14, uses_pull_time=True
            ),
        )

    def test_permissions_are_probed_when_iam_cannot_be_simulated(self, account: AwsAccount, cloud: Cloud) -> None:
        before = len(cloud.requests)

        found = {permission.task: permission for permission in account.permissions()}

        assert found.keys() == task_actions(settings()).keys()
        assert all(not each.denied_actions for each in found.values())
        assert found["doctor"].unchecked_actions == found["status"].unchecked_actions == ()
        assert "ecr:PutImage" in found["push"].unchecked_actions
        assert "cannot ask IAM what these credentials allow" in found["push"].unchecked_reason
        looking = ("Get", "Describe", "List", "BatchGet", "BatchCheck", "Query", "Simulate", "FilterLog")
        assert all(each["operation"].startswith(looking) for each in cloud.requests[before:] if "operation" in each)


class TestSkew:
    @pytest.mark.parametrize("ahead", [-3600, -30, 0, 4, 600])
    def test_clock_skew_is_measured_from_the_response_date(self, aws: Aws, ahead: int) -> None:
        assert _account(aws, ahead=ahead).clock_skew() == pytest.approx(ahead, abs=1.9)

    def test_clock_skew_uses_the_date_of_an_error_response(
        self, credentials: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedServer({"POST /": [Reply(status=403, body=EXPIRED)]}) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)

            skew = _account(Aws(region=REGION, profile="", account=ACCOUNT), ahead=600).clock_skew()

        assert skew == pytest.approx(600, abs=1.9)


EXPIRED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error></ErrorResponse>"""


@pytest.mark.parametrize("text", ['{"rules": [{"rulePriority": 1}]}', '{"rules": 7}', "[]", "rules"])
def test_unknown_policy_structure_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="lifecycle policy of web"):
        lifecycle_policy.parse_lifecycle_policy(text, repository="web")
