"""The AWS account as `doctor` checks it and `setup` prepares it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypedDict

from attrs import evolve

from kaizen_tasks.adapters.aws import lifecycle_policy
from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.ecr import repository_errors
from kaizen_tasks.adapters.aws.failed_call import response_time
from kaizen_tasks.adapters.aws.iam import permissions
from kaizen_tasks.adapters.aws.iam import policy as iam_policy
from kaizen_tasks.adapters.aws.iam.actions import task_actions
from kaizen_tasks.adapters.aws.iam.policy import Statement
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.aws_account import CallerIdentity, DeniedAction, LedgerTable, Permission
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.service_review import ServiceReview
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import Denied, KaizenError, NotFound, Refused, Unreachable, Unsupported
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.cloud import AccountAdmin

if TYPE_CHECKING:
    from types_boto3_ecr.literals import ImageTagMutabilityType
    from types_boto3_ecr.type_defs import (
        ImageDetailTypeDef,
        ImageTagMutabilityExclusionFilterTypeDef,
        RepositoryTypeDef,
    )
    from types_boto3_sts import STSClient


BLOB_MOUNTING = "BLOB_MOUNTING"
MAX_CONCURRENT_LOOKUPS = 16
MAX_REPOSITORIES_PER_REQUEST = 100
UNKNOWN_DIGEST = f"sha256:{'0' * 64}"

HOME_TASKS = ("hold", "notify")
"""Tasks that need nothing of other accounts than that of `[aws]`."""


class MutabilityRequest(TypedDict, total=False):
    """The members of a request that set which tags of a repository may move."""

    imageTagMutability: ImageTagMutabilityType
    imageTagMutabilityExclusionFilters: list[ImageTagMutabilityExclusionFilterTypeDef]


class AwsAccount(AccountAdmin):
    """One account in one region. Safe to use from several threads.

    Args:
        aws: clients of the account.
        settings: configuration with the environments of the account and region, and no others.
        ledger: the ledger whose table is checked and created.
        platform: looks up the services' identifiers.
        clock: this machine's clock, for `clock_skew`.
        is_home: whether the ledger's table is in the account and region.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        settings: Settings,
        ledger: DynamoLedger,
        platform: AppRunnerPlatform,
        clock: Clock,
        is_home: bool = True,
    ) -> None:
        self._aws = aws
        self._platform = platform
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._is_home = is_home
        self._role_problems = dict[tuple[str, str], str]()
        self._reviews = dict[str, ServiceReview]()
        self._review_locks = dict[str, Lock]()

    def caller(self) -> CallerIdentity:
        """Return the identity that the credentials belong to."""
        return CallerIdentity(account_id=self._aws.account_id(), principal=self._aws.principal())

    def supported_regions(self, platform: str) -> tuple[str, ...]:
        """Return the regions that have a platform according to the installed version of boto3."""
        import botocore.session

        with aws_errors("list the regions of the platform"):
            session = botocore.session.Session()
            service = "ecs" if PLATFORMS[platform].has_cluster else platform
            return tuple(session.get_available_regions(service, iam_policy.partition(self._settings.aws.region)))

    def endpoint_urls(self) -> tuple[str, ...]:
        """Return the URLs of the services that are used, as variables, the profile and the region set them."""
        environments = self._settings.environments.values()
        names = dict.fromkeys("ecs" if each.kind.has_cluster else each.platform for each in environments)
        return self._aws.endpoint_urls(names)

    def clock_skew(self) -> float:
        """Return the seconds by which this machine's clock is ahead of STS's.

        The responses by which STS rejects a request with a wrong time have a date as well.
        """
        server_time = self._aws.server_time()
        if server_time is None:
            with aws_errors("ask AWS for the time"):
                server_time = response_time(_identity_response(self._aws.sts()))
        if server_time is None:
            raise Unreachable("cannot ask AWS for the time: its response has no valid Date header")
        return (self._clock.now() - server_time).total_seconds()

    def permissions(self) -> tuple[Permission, ...]:
        """Return the permissions for each task, from IAM's simulator or else from trying read-only requests."""
        caller, tasks = self.caller(), task_actions(self._settings)
        try:
            required = self._required_statements(caller.account_id, self._settings)
            results = permissions.simulate_permissions(caller.principal, required, tasks, self._aws)
        except KaizenError as error:
            results = permissions.probe_permissions(self._read_only_calls(), tasks, why=error.message)
        return tuple(result for result in results if self._is_home or result.task not in HOME_TASKS)

    def denied_changes(self, environments: Sequence[Environment]) -> tuple[DeniedAction, ...]:
        """Return the changing actions of a deployment that IAM's simulator denies; none when it cannot be asked."""
        settings = evolve(self._settings, environments={each.name: each for each in environments})
        try:
            caller = self.caller()
            required = self._required_statements(caller.account_id, settings)
            statements = iam_policy.changing_statements(required, task_actions(settings))
            return permissions.simulate_changes(caller.principal, statements, self._aws)
        except KaizenError:
            return ()

    def _required_statements(self, account: str, settings: Settings) -> Sequence[Statement]:
        """Return the policy statements of the app with real service identifiers, which the caller's policy may name."""
        environments = settings.environments.values()
        ids = {each.service: self._service_id(each.service) for each in environments if each.follows_tag}
        return iam_policy.statements(
            settings,
            account=account,
            table=self._ledger.table_name if self._is_home else "",
            service_ids=ids,
            passed_roles=self._passed_roles([each for each in environments if each.kind.has_cluster]),
        )

    def _passed_roles(self, environments: Sequence[Environment]) -> tuple[str, ...]:
        """Return the roles that deployments pass to tasks; those of services that cannot be read are left out."""

        def roles(environment: Environment) -> Sequence[str]:
            try:
                review = self.review_service(environment)
            except KaizenError:
                return ()
            return [role.arn for role in review.roles if role.arn and role.principal == iam_policy.PASSED_TO]

        with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_LOOKUPS) as pool:
            return tuple(dict.fromkeys(arn for arns in pool.map(roles, environments) for arn in arns))

    def _service_id(self, service: str) -> str:
        try:
            return self._platform.find_arn(service).rpartition("/")[2]
        except NotFound:
            return "*"

    def _read_only_calls(self) -> Mapping[str, Callable[[], object]]:
        """Return functions by IAM action: each tries one read-only action, on the first environment's resources."""
        sample = next(iter(self._settings.environments.values()), None)
        return {**(self._table_calls() if self._is_home else {}), **(self._sample_calls(sample) if sample else {})}

    def _table_calls(self) -> Mapping[str, Callable[[], object]]:
        dynamodb, table = self._aws.dynamodb(), self._ledger.table_name
        key = {"pk": {"S": "ledger#"}, "sk": {"S": "-"}}
        return {
            "dynamodb:BatchGetItem": partial(dynamodb.batch_get_item, RequestItems={table: {"Keys": [key]}}),
            "dynamodb:DescribeContinuousBackups": partial(dynamodb.describe_continuous_backups, TableName=table),
            "dynamodb:DescribeTable": partial(dynamodb.describe_table, TableName=table),
            "dynamodb:GetItem": partial(dynamodb.get_item, TableName=table, Key=key),
            "dynamodb:Query": partial(self._ledger.entries, "", limit=1),
        }

    def _sample_calls(self, sample: Environment) -> Mapping[str, Callable[[], object]]:
        ecr, repo = self._aws.ecr(), sample.repository
        return {
            **(self._app_runner_calls(sample) if sample.follows_tag else self._ecs_calls(sample)),
            "ecr:BatchCheckLayerAvailability": partial(
                ecr.batch_check_layer_availability, repositoryName=repo, layerDigests=[UNKNOWN_DIGEST]
            ),
            "ecr:BatchGetImage": partial(
                ecr.batch_get_image, repositoryName=repo, imageIds=[{"imageTag": sample.follow}]
            ),
            "ecr:DescribeImages": partial(ecr.describe_images, repositoryName=repo, maxResults=1),
            "ecr:DescribeRepositories": partial(ecr.describe_repositories, repositoryNames=[repo]),
            "ecr:GetAccountSetting": partial(ecr.get_account_setting, name=BLOB_MOUNTING),
            "ecr:GetAuthorizationToken": ecr.get_authorization_token,
            "ecr:GetDownloadUrlForLayer": partial(
                ecr.get_download_url_for_layer, repositoryName=repo, layerDigest=UNKNOWN_DIGEST
            ),
            "ecr:GetLifecyclePolicy": partial(self.lifecycle_rules, repo),
            **self._secret_calls(sample),
        }

    def _app_runner_calls(self, sample: Environment) -> Mapping[str, Callable[[], object]]:
        apprunner, logs = self._aws.apprunner(), self._aws.logs()
        group = self._log_group(sample.service)
        return {
            "apprunner:DescribeService": partial(self._platform.get_service, sample.service),
            "apprunner:ListServices": partial(apprunner.list_services, MaxResults=1),
            "logs:DescribeLogStreams": partial(logs.describe_log_streams, logGroupName=group, limit=1),
            "logs:FilterLogEvents": partial(logs.filter_log_events, logGroupName=group, limit=1),
            "logs:GetLogEvents": partial(logs.get_log_events, logGroupName=group, logStreamName="events", limit=1),
        }

    def _ecs_calls(self, sample: Environment) -> Mapping[str, Callable[[], object]]:
        ecs, cluster = self._aws.ecs(), sample.cluster
        return {
            "ecs:DescribeServices": partial(ecs.describe_services, cluster=cluster, services=[sample.service]),
            "ecs:ListServiceDeployments": partial(
                ecs.list_service_deployments, cluster=cluster, service=sample.service
            ),
            "ecs:ListServices": partial(ecs.list_services, cluster=cluster, maxResults=1),
            "ecs:ListTasks": partial(ecs.list_tasks, cluster=cluster, maxResults=1),
        }

    def _secret_calls(self, environment: Environment) -> Mapping[str, Callable[[], object]]:
        if not self._settings.runtime.keys:
            return {}
        get_secret_value = self._aws.secretsmanager().get_secret_value
        return {"secretsmanager:GetSecretValue": partial(get_secret_value, SecretId=environment.secret)}

    def _log_group(self, service: str) -> str:
        """Return the name of a service's log group; if the service cannot be read, the name of a nonexistent one."""
        try:
            service_id = self._service_id(service).replace("*", "none")
        except KaizenError:
            service_id = "none"
        return f"/aws/apprunner/{service}/{service_id}/service"

    def ledger_table(self) -> LedgerTable:
        """Return the ledger's table: its name, whether it exists, and whether it can be restored."""
        name = self._ledger.table_name
        if not self._ledger.exists():
            return LedgerTable(name=name, exists=False, point_in_time_recovery=False)
        return LedgerTable(name=name, exists=True, point_in_time_recovery=self._is_recoverable(name))

    def _is_recoverable(self, table: str) -> bool | None:
        try:
            with aws_errors(f"ask about the backups of the table {table}"):
                response = self._aws.dynamodb().describe_continuous_backups(TableName=table)
        except (Unsupported, Denied):
            return None
        recovery = response["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"

    def create_table(self) -> None:
        """Create the ledger's table if it is missing, and enable point-in-time recovery."""
        self._ledger.create()
        self._ledger.write_format()

    def tag_mutability(self, repository: str) -> TagMutability:
        """Return which tags of a repository may be moved."""
        with repository_errors(repository, f"read the repository {repository}"):
            description = self._aws.ecr().describe_repositories(repositoryNames=[repository])["repositories"][0]
        return _parse_mutability(description)

    def create_repository(self, name: str, rules: TagMutability) -> None:
        """Create a repository with the encryption and scanning that the account has by default."""
        with aws_errors(f"create the repository {name}", change_error=Refused):
            self._aws.ecr().create_repository(repositoryName=name, **render_mutability(rules))

    def create_repository_like(self, neighbour: str, name: str, rules: TagMutability) -> None:
        """Create a repository with the encryption, scanning and lifecycle policy of another one."""
        ecr = self._aws.ecr()
        with repository_errors(neighbour, f"create the repository {name}", change_error=Refused):
            description = ecr.describe_repositories(repositoryNames=[neighbour])["repositories"][0]
            ecr.create_repository(
                repositoryName=name,
                **render_mutability(rules),
                imageScanningConfiguration=description.get("imageScanningConfiguration", {}),
                encryptionConfiguration=description.get("encryptionConfiguration") or {"encryptionType": "AES256"},
            )
            try:
                policy = ecr.get_lifecycle_policy(repositoryName=neighbour)["lifecyclePolicyText"]
            except ecr.exceptions.LifecyclePolicyNotFoundException:
                return
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy)

    def tag_mutabilities(self, repositories: Collection[str]) -> Mapping[str, TagMutability]:
        """Return which tags may move in those of the repositories that exist, by name, at one request per hundred.

        ECR refuses a request that names a missing repository, and each of its names is then asked about alone.
        """
        names, rules = list(dict.fromkeys(repositories)), dict[str, TagMutability]()
        for start in range(0, len(names), MAX_REPOSITORIES_PER_REQUEST):
            batch = names[start : start + MAX_REPOSITORIES_PER_REQUEST]
            try:
                with aws_errors("read the repositories"):
                    response = self._aws.ecr().describe_repositories(repositoryNames=batch)
            except NotFound:
                rules |= self._existing_mutabilities(batch)
            else:
                rules |= {each["repositoryName"]: _parse_mutability(each) for each in response["repositories"]}
        return rules

    def _existing_mutabilities(self, repositories: Sequence[str]) -> Mapping[str, TagMutability]:
        def find(repository: str) -> TagMutability | None:
            try:
                return self.tag_mutability(repository)
            except NotFound:
                return None

        with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_LOOKUPS) as pool:
            results = dict(zip(repositories, pool.map(find, repositories), strict=True))
        return {name: rules for name, rules in results.items() if rules is not None}

    def set_tag_mutability(self, repository: str, rules: TagMutability) -> None:
        """Set which tags of a repository may be moved."""
        with repository_errors(repository, f"change the tag mutability of {repository}"):
            self._aws.ecr().put_image_tag_mutability(
                repositoryName=repository,
                **render_mutability(rules),
            )

    def review_service(self, environment: Environment) -> ServiceReview:
        """Return what a deployment of an environment's service on ECS depends on; several checks share one review."""
        from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
        from kaizen_tasks.adapters.aws.ecs_review import EcsReviewer

        if not environment.kind.has_cluster:
            raise Unsupported(f"services of {environment.kind.title} have no tasks to be reviewed")
        cluster = Cluster(self._aws, environment.cluster, self._clock)
        with self._review_locks.setdefault(environment.name, Lock()):
            if environment.name not in self._reviews:
                reviewer = EcsReviewer(cluster, environment.container, self._role_problems)
                self._reviews[environment.name] = reviewer.review(environment.service)
            return self._reviews[environment.name]

    def lifecycle_rules(self, repository: str) -> tuple[LifecycleRule, ...]:
        """Return the lifecycle rules that remove images from a repository."""
        ecr = self._aws.ecr()
        with repository_errors(repository, f"read the lifecycle policy of {repository}"):
            try:
                text = ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
            except ecr.exceptions.LifecyclePolicyNotFoundException:
                return ()
        return lifecycle_policy.parse_lifecycle_policy(text, repository=repository)

    def list_images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return every image of a repository, untagged ones too."""
        paginator = self._aws.ecr().get_paginator("describe_images")
        with repository_errors(repository, f"list the images of {repository}"):
            result_pages = paginator.paginate(repositoryName=repository, PaginationConfig={"PageSize": 1000})
            return tuple(_stored_image(detail) for page in result_pages for detail in page["imageDetails"])

    def is_blob_mounting_enabled(self) -> bool:
        """Return whether blobs can be mounted from one repository of the account in another."""
        with aws_errors("ask about blob mounting"):
            return self._aws.ecr().get_account_setting(name=BLOB_MOUNTING)["value"] == "ENABLED"

    def enable_blob_mounting(self) -> None:
        """Enable blob mounting between the account's repositories."""
        with aws_errors("enable blob mounting"):
            self._aws.ecr().put_account_setting(name=BLOB_MOUNTING, value="ENABLED")


def _identity_response(sts: STSClient) -> Mapping[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return sts.get_caller_identity()
    except ClientError as error:
        return error.response


def _parse_mutability(description: RepositoryTypeDef) -> TagMutability:
    filters = tuple(item["filter"] for item in description.get("imageTagMutabilityExclusionFilters") or ())
    return TagMutability(mutability=description["imageTagMutability"], exclusion_filters=filters)


def render_mutability(rules: TagMutability) -> MutabilityRequest:
    """Return the members of a request that set tag rules; ECR accepts no empty list of filters."""
    request: MutabilityRequest = {"imageTagMutability": rules.mutability}
    if rules.exclusion_filters:
        request["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": pattern} for pattern in rules.exclusion_filters
        ]
    return request


def _stored_image(detail: ImageDetailTypeDef) -> StoredImage:
    pulled_at = detail.get("lastRecordedPullTime")
    return StoredImage(
        digest=detail["imageDigest"],
        tags=tuple(detail.get("imageTags") or ()),
        pushed_at=detail["imagePushedAt"].astimezone(UTC),
        pulled_at=pulled_at.astimezone(UTC) if pulled_at else None,
    )
