"""AWS clients for one account, and the translation of botocore's errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Final, cast

from attrs import frozen

from kaizen_tasks.adapters.aws import endpoint
from kaizen_tasks.adapters.aws.attempts import (
    limit_requests,
    proxy_options,
    repeat_after_conflicts,
    repeat_no_lost_request,
)
from kaizen_tasks.adapters.aws.credentials import (
    create_core_session,
    create_derived_session,
    credential_error,
    provider_of,
)
from kaizen_tasks.adapters.aws.failed_call import FailedCall, response_time
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.errors import Denied, KaizenError, Unreachable
from kaizen_tasks.ports.cloud import Identity

if TYPE_CHECKING:
    import boto3
    import botocore.session
    from botocore.client import BaseClient
    from botocore.credentials import Credentials
    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient

    from kaizen_tasks.adapters.aws.clients import EcsClient, IamClient, LogsClient

SERVICES: Final = ("sts", "ecr", "dynamodb", "secretsmanager", "logs")
"""What is used on every platform."""

TOTAL_ATTEMPTS = 5
MAX_POOL_CONNECTIONS = 32
MIN_CLOCK_OFFSET = timedelta(seconds=2)  # a Date header is truncated to seconds, and its response takes a while


class Aws(Identity):
    """AWS clients for one region and one set of credentials. Safe to use from several threads.

    Clients, except that of STS, are returned only if the credentials belong to the configured account.

    Args:
        region: such as `eu-west-1`.
        profile: a profile of the user's AWS configuration, or empty for the default credential chain.
        account: twelve digits, or empty to accept any account.
        source: clients whose credentials are used, in place of those of the profile.
        role_credentials: returns the credentials of the role that is assumed with those of `source`; None without one.
        table: the table of the configuration that sets account, role and profile, for hints.

    Attributes:
        region: the region.
        profile: the profile in effect, or empty.
        network: proxies, and trusted certificates; `ca_bundle` of the profile among them.
    """

    def __init__(
        self,
        *,
        region: str,
        profile: str,
        account: str,
        source: Aws | None = None,
        role_credentials: Callable[[Aws], Credentials] | None = None,
        table: str = "aws",
    ) -> None:
        self.region = region
        self.profile = profile
        self._expected_account = account
        self._source = source
        self._role_credentials = role_credentials
        self._table = table
        self._lock = Lock()
        self._clients: dict[str, object] = {}
        self._session: boto3.session.Session | None = None
        self._caller: _Caller | None = None
        self.network: NetworkSettings = source.network if source else NetworkSettings(self._profile_bundle)

    def account_id(self) -> str:
        """Return the account number; the first call reads it from STS, which needs no permission."""
        with self._lock:
            return self._verified_caller().account

    def principal(self) -> str:
        """Return the ARN of the user or role that the credentials belong to."""
        with self._lock:
            return self._verified_caller().arn

    def server_time(self) -> datetime | None:
        """Return the time by the clock of STS, without a request; None when STS has not said who the caller is."""
        if self._caller is None or self._caller.answered_at is None:
            return None
        return self._caller.answered_at + timedelta(seconds=time.monotonic() - self._caller.received_monotonic)

    def clock_offset(self) -> timedelta:
        """Return how far the clock of STS is ahead of this machine's; zero for less than two seconds, or if unknown.

        Added to the time of day, it makes the times that several machines write and compare those of one clock.
        """
        if self._caller is None or self._caller.answered_at is None:
            return timedelta(0)
        offset = self._caller.answered_at - self._caller.received_at
        return offset if abs(offset) >= MIN_CLOCK_OFFSET else timedelta(0)

    def ecr(self) -> ECRClient:
        """Return the client of the container registry."""
        return cast("ECRClient", self._client("ecr"))

    def apprunner(self) -> AppRunnerClient:
        """Return the client of App Runner."""
        return cast("AppRunnerClient", self._client("apprunner"))

    def ecs(self) -> EcsClient:
        """Return the client of ECS."""
        return cast("EcsClient", self._client("ecs"))

    def dynamodb(self) -> DynamoDBClient:
        """Return the client of DynamoDB."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    def secretsmanager(self) -> SecretsManagerClient:
        """Return the client of Secrets Manager."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    def logs(self) -> LogsClient:
        """Return the client of CloudWatch Logs."""
        return cast("LogsClient", self._client("logs"))

    def sts(self) -> STSClient:
        """Return the client of STS, whatever account the credentials belong to."""
        with self._lock:
            return cast("STSClient", self._cached_client("sts"))

    def iam(self) -> IamClient:
        """Return the client of IAM."""
        return cast("IamClient", self._client("iam"))

    def endpoint_urls(self, platform_services: Iterable[str]) -> tuple[str, ...]:
        """Return the URLs of the services that are used, and of some more; no credentials are looked for.

        Args:
            platform_services: names of the services that run apps: `apprunner`, `ecs`.
        """
        from botocore import UNSIGNED
        from botocore.config import Config

        with self._lock, aws_errors("find the endpoints of AWS", aws=self):
            create_client = cast("Callable[..., BaseClient]", self._boto_session().client)
            unsigned = Config(signature_version=UNSIGNED)
            names = (*SERVICES, *platform_services)
            return tuple(create_client(name, config=unsigned).meta.endpoint_url for name in names)

    def _client(self, service: str) -> object:
        with self._lock:
            self._verified_caller()
            return self._cached_client(service)

    def _cached_client(self, service: str) -> object:
        if service not in self._clients:
            self._clients[service] = self._create_client(service)
        return self._clients[service]

    def credentials(self) -> Credentials | None:
        """Return the credentials, which may refresh themselves; None when there are none."""
        with self._lock:
            return self._boto_session().get_credentials()

    def require_account(self) -> None:
        """Raise `Denied` if an account is configured and the credentials are of another one."""
        if self._expected_account:
            self.account_id()

    def _verified_caller(self) -> _Caller:
        if self._caller is None:
            caller = self._find_caller()
            if self._expected_account not in {"", caller.account}:
                raise Denied(
                    f"the credentials belong to account {caller.account}, but {self._expected_account} is configured",
                    state="nothing was read from it",
                    hint=self._account_hint(),
                )
            self._caller = caller
        return self._caller

    def _find_caller(self) -> _Caller:
        """Return whose credentials these are; those of `source` without a role are asked about only once."""
        if self._source and not self._role_credentials:
            with self._source._lock:  # noqa: SLF001 - of the same class
                return self._source._verified_caller()  # noqa: SLF001
        with aws_errors("check the AWS credentials", aws=self):
            return _ask_caller(cast("STSClient", self._cached_client("sts")))

    def _account_hint(self) -> str:
        if self._table == "aws":
            return "use another AWS_PROFILE, or correct aws.account in the configuration"
        wrong = "account or role" if self._role_credentials else "account, or set role or profile,"
        return f"correct {wrong} of [{self._table}] in the configuration"

    def _create_client(self, service: str) -> object:
        """Return a new client. The caller must hold the lock: sessions are not thread-safe.

        AWS validates parameters, and type checkers have: botocore's own validation took a twentieth of each call.

        botocore builds a client's exception classes on first use. Threads that use the client first at the same moment
        would get different classes, which `except` does not match. So the classes are built here, under the lock.
        """
        from botocore.config import Config

        endpoint.require_valid_variables(service)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
            max_pool_connections=MAX_POOL_CONNECTIONS,
            parameter_validation=False,
        )
        create_client = cast("Callable[..., BaseClient]", self._boto_session().client)
        client = create_client(service, config=config)
        limit_requests(client, network=self.network)
        repeat_no_lost_request(client, service)
        if service == "dynamodb":
            repeat_after_conflicts(client)
        _ = client.exceptions
        return client

    def _boto_session(self) -> boto3.session.Session:
        """Return the session, which trusts the authorities that all other connections trust."""
        import boto3
        from botocore.config import Config

        from kaizen_tasks.adapters.aws.service_models import load_models_by_name

        if self._session is None:
            core = self._profile_session
            load_models_by_name(core)
            if self.network.ca_bundle.is_configured:
                _ = self.network.tls_context  # botocore's error for a bad file does not name the setting
            if path := self.network.ca_bundle.path:
                core.set_config_variable("ca_bundle", path)
            sts = f"https://sts.{self.region}.amazonaws.com"
            proxy = self.network.proxy(sts)
            if proxy and proxy.source.lower() == "all_proxy":  # botocore's own clients, for roles and SSO, ignore it
                core.set_default_client_config(Config(**proxy_options(proxy, self.network)))
            self._session = boto3.session.Session(botocore_session=core, region_name=self.region)
        return self._session

    @cached_property
    def _profile_session(self) -> botocore.session.Session:
        """The session with the settings of the profile."""
        if self._source is None:
            return create_core_session(self.profile)
        load = partial(self._role_credentials, self._source) if self._role_credentials else self._source.credentials
        return create_derived_session(self.profile, load)

    def _profile_bundle(self) -> str:
        """Return `ca_bundle` of the profile; empty when the profile cannot be read, which is reported with its use."""
        from botocore.exceptions import BotoCoreError

        with suppress(BotoCoreError):
            return str(self._profile_session.get_scoped_config().get("ca_bundle", ""))
        return ""


@frozen(kw_only=True)
class _Caller:
    """What STS says of the credentials, and when: one answer serves the account guard, `doctor` and the clock."""

    account: str
    arn: str
    answered_at: datetime | None
    received_at: datetime
    received_monotonic: float


def _ask_caller(sts: STSClient) -> _Caller:
    """Return the owner of the credentials. A server that is not AWS answers with HTML, or with nothing."""
    from botocore.parsers import ResponseParserError

    url = sts.meta.endpoint_url
    try:
        response = sts.get_caller_identity()
        return _Caller(
            account=response["Account"],
            arn=response.get("Arn", ""),
            answered_at=response_time(response),
            received_at=datetime.now(UTC),
            received_monotonic=time.monotonic(),
        )
    except (KeyError, ResponseParserError) as error:
        if provider_of(error) is not None:
            raise
        message = f"cannot check the AWS credentials: {url} does not answer as AWS does"
        raise Unreachable(message, hint=endpoint.hint(url, answers=True)) from error


@contextmanager
def aws_errors(
    action: str,
    *,
    change_error: type[KaizenError] | None = None,
    not_found_hint: str = "",
    aws: Aws | None = None,
) -> Iterator[None]:
    """Translate botocore's errors into this project's errors, which have a hint.

    Args:
        action: what is attempted: `start a deployment of web`.
        change_error: error for a change that was rejected or whose outcome is unknown; None for a read, which raises
            Refused or Unreachable instead.
        not_found_hint: hint for a missing resource.
        aws: the clients' session, whose profile and network errors name; without it, what the environment says.

    Raises:
        ConfigurationError: the region, or another setting of AWS clients, is invalid.
        Denied: the credentials are missing or expired, or the permission is missing.
        NotFound: the repository, service or table is missing.
        Unsupported: the cloud lacks the operation.
        Unreachable: AWS was not reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    network, profile = (aws.network, aws.profile) if aws else (NetworkSettings(), "")
    call = FailedCall(action, change_error, not_found_hint, network, profile)
    try:
        yield
    except ClientError as error:
        raise call.from_response(error) from error
    except KaizenError:
        raise
    except Exception as error:
        explained = credential_error(action, error, call.profile)
        if explained is None and not isinstance(error, BotoCoreError | ResponseParserError):
            raise
        raise explained or call.from_transport_failure(error) from error
