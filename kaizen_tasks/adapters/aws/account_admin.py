"""What only `doctor` and `setup` ask AWS, and what they put right there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws import iam_policy, lifecycle_policy, permissions
from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.adapters.oci.transport import no_repository
from kaizen_tasks.domain.aws_account import Caller, Table
from kaizen_tasks.domain.lifecycle import StoredImage
from kaizen_tasks.domain.tag_mutability import TagRules
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.ports.cloud import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from types_boto3_ecr.type_defs import ImageDetailTypeDef
    from types_boto3_sts import STSClient

    from kaizen_tasks.adapters.aws.dynamodb_ledger import DynamoLedger
    from kaizen_tasks.adapters.aws.iam_policy import Statement
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.aws_account import Permission
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.lifecycle import Rule
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.platform import Platform

MOUNTING = "BLOB_MOUNTING"
AT_ONCE = 16
NO_LAYER = f"sha256:{'0' * 64}"
HALF_A_SECOND = timedelta(seconds=0.5)
"""An HTTP date is cut to whole seconds, so the moment it means is half a second later on average."""


class AwsAccount(Account):
    """One account in one region. Safe to use from several threads.

    Args:
        aws: which.
        settings: names the repositories and services.
        ledger: knows its table.
        platform: knows the services' identifiers.
        clock: the clock that is compared.
    """

    def __init__(self, aws: Aws, *, settings: Settings, ledger: DynamoLedger, platform: Platform, clock: Clock) -> None:
        self._aws = aws
        self._platform = platform
        self._settings = settings
        self._ledger = ledger
        self._clock = clock

    def caller(self) -> Caller:
        """Return whose credentials these are."""
        account = self._aws.account()
        with translated("ask AWS whose credentials these are"):
            return Caller(account=account, principal=self._aws.sts().get_caller_identity()["Arn"])

    def regions(self) -> tuple[str, ...]:
        """Return the regions that have App Runner, as far as this version of boto3 knows."""
        import botocore.session

        with translated("look for regions"):
            session = botocore.session.Session()
            return tuple(session.get_available_regions("apprunner", iam_policy.partition(self._settings.aws.region)))

    def skew(self) -> float:
        """Return the seconds by which this machine's clock is ahead of STS's.

        STS refuses a request whose time is far off, and such an answer has a date as well.
        """
        with translated("ask AWS for the time"):
            sts = self._aws.sts()
            before = self._clock.now()
            said = _date(_answer(sts))
        between = before + (self._clock.now() - before) / 2
        return (between - said - HALF_A_SECOND).total_seconds()

    def permissions(self) -> tuple[Permission, ...]:
        """Return for every task whether the credentials suffice: as IAM says, else as trying shows."""
        caller, wanted = self.caller(), iam_policy.tasks(self._settings)
        try:
            found = permissions.simulated(caller.principal, self._needed(caller.account), self._aws)
        except KaizenError as error:
            found = permissions.tried(self._looks(), why=error.what)
        return tuple(each for each in found if each.task in wanted)

    def _needed(self, account: str) -> Sequence[Statement]:
        """Return what is needed with the real identifiers of the services: a policy may name those."""
        names = {environment.service for environment in self._settings.environments.values()}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            identities = dict(zip(names, pool.map(self._identity, names), strict=True))
        return iam_policy.statements(self._settings, account=account, table=self._ledger.table, identities=identities)

    def _identity(self, service: str) -> str:
        try:
            return self._platform.service(service).identity.rpartition("/")[2]
        except NotFound:
            return "*"

    def _looks(self) -> Mapping[str, Callable[[], object]]:
        """Return a call for every action that only reads; the first environment stands for all."""
        ecr, apprunner, dynamodb = self._aws.ecr(), self._aws.apprunner(), self._aws.dynamodb()
        first, table = next(iter(self._settings.environments.values())), self._ledger.table
        name, key = first.repository, {"pk": {"S": "ledger#"}, "sk": {"S": "-"}}
        return {
            "apprunner:DescribeService": partial(self._platform.service, first.service),
            "apprunner:ListServices": partial(apprunner.list_services, MaxResults=1),
            "dynamodb:BatchGetItem": partial(dynamodb.batch_get_item, RequestItems={table: {"Keys": [key]}}),
            "dynamodb:DescribeContinuousBackups": partial(dynamodb.describe_continuous_backups, TableName=table),
            "dynamodb:DescribeTable": partial(dynamodb.describe_table, TableName=table),
            "dynamodb:GetItem": partial(dynamodb.get_item, TableName=table, Key=key),
            "dynamodb:Query": partial(self._ledger.entries, "", limit=1),
            "ecr:BatchCheckLayerAvailability": partial(
                ecr.batch_check_layer_availability, repositoryName=name, layerDigests=[NO_LAYER]
            ),
            "ecr:BatchGetImage": partial(ecr.batch_get_image, repositoryName=name, imageIds=[{"imageTag": "latest"}]),
            "ecr:DescribeImages": partial(ecr.describe_images, repositoryName=name, maxResults=1),
            "ecr:DescribeRepositories": partial(ecr.describe_repositories, repositoryNames=[name]),
            "ecr:GetAccountSetting": partial(ecr.get_account_setting, name=MOUNTING),
            "ecr:GetAuthorizationToken": ecr.get_authorization_token,
            "ecr:GetDownloadUrlForLayer": partial(
                ecr.get_download_url_for_layer, repositoryName=name, layerDigest=NO_LAYER
            ),
            "ecr:GetLifecyclePolicy": partial(self.lifecycle, name),
            "logs:DescribeLogStreams": lambda: self._aws.logs().describe_log_streams(
                logGroupName=self._log_group(first.service), limit=1
            ),
            "logs:GetLogEvents": lambda: self._aws.logs().get_log_events(
                logGroupName=self._log_group(first.service), logStreamName="events", limit=1
            ),
            **self._looks_at_secrets(first),
        }

    def _looks_at_secrets(self, environment: Environment) -> Mapping[str, Callable[[], object]]:
        if not self._settings.runtime.keys:
            return {}
        read = self._aws.secretsmanager().get_secret_value
        return {"secretsmanager:GetSecretValue": partial(read, SecretId=environment.secret)}

    def _log_group(self, service: str) -> str:
        """Return the name of a service's log group; of one that cannot be looked at, a name that does no harm."""
        try:
            identity = self._identity(service).replace("*", "none")
        except KaizenError:
            identity = "none"
        return f"/aws/apprunner/{service}/{identity}/service"

    def table(self) -> Table:
        """Return the ledger's table as it is now."""
        name = self._ledger.table
        if not self._ledger.exists():
            return Table(name=name, exists=False, recoverable=False)
        with translated(f"ask about the backups of the table {name}"):
            answer = self._aws.dynamodb().describe_continuous_backups(TableName=name)
        backups = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return Table(name=name, exists=True, recoverable=backups.get("PointInTimeRecoveryStatus") == "ENABLED")

    def create_table(self) -> None:
        """Create the ledger's table and make it recoverable; again does no harm."""
        self._ledger.create()

    def tag_rules(self, repository: str) -> TagRules:
        """Return which tags of a repository may move."""
        with _about(repository, f"look for the repository {repository}"):
            found = self._aws.ecr().describe_repositories(repositoryNames=[repository])["repositories"][0]
        filters = found.get("imageTagMutabilityExclusionFilters") or []
        return TagRules(mutability=found["imageTagMutability"], filters=tuple(each["filter"] for each in filters))

    def set_tag_rules(self, repository: str, rules: TagRules) -> None:
        """Say which tags of a repository may move."""
        with _about(repository, f"change the tag mutability of {repository}"):
            self._aws.ecr().put_image_tag_mutability(
                repositoryName=repository,
                imageTagMutability=rules.mutability,
                imageTagMutabilityExclusionFilters=[
                    {"filterType": "WILDCARD", "filter": each} for each in rules.filters
                ],
            )

    def lifecycle(self, repository: str) -> tuple[Rule, ...]:
        """Return the rules by which a repository loses images."""
        ecr = self._aws.ecr()
        with _about(repository, f"read the lifecycle policy of {repository}"):
            try:
                text = ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
            except ecr.exceptions.LifecyclePolicyNotFoundException:
                return ()
        return lifecycle_policy.read(text, repository=repository)

    def images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return every image of a repository, untagged ones too."""
        pages = self._aws.ecr().get_paginator("describe_images")
        with _about(repository, f"list the images of {repository}"):
            found = pages.paginate(repositoryName=repository, PaginationConfig={"PageSize": 1000})
            return tuple(_stored(detail) for page in found for detail in page["imageDetails"])

    def mounts_blobs(self) -> bool:
        """Return whether repositories share blobs without a transfer."""
        with translated("ask about blob mounting"):
            return self._aws.ecr().get_account_setting(name=MOUNTING)["value"] == "ENABLED"

    def mount_blobs(self) -> None:
        """Let repositories share blobs without a transfer."""
        with translated("enable blob mounting"):
            self._aws.ecr().put_account_setting(name=MOUNTING, value="ENABLED")


def _answer(sts: STSClient) -> Mapping[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return sts.get_caller_identity()
    except ClientError as error:
        return error.response


def _date(answer: Mapping[str, Any]) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)


def _stored(detail: ImageDetailTypeDef) -> StoredImage:
    pulled = detail.get("lastRecordedPullTime")
    return StoredImage(
        digest=detail["imageDigest"],
        tags=tuple(detail.get("imageTags") or ()),
        pushed=detail["imagePushedAt"].astimezone(UTC),
        pulled=pulled.astimezone(UTC) if pulled else None,
    )


def _about(repository: str, doing: str) -> AbstractContextManager[None]:
    return translated(doing, missing=no_repository(repository).hint)
