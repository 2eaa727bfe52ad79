"""AWS clients for one account, and the translation of botocore's errors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from textwrap import shorten
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from attrs import frozen

from kaizen_tasks.adapters.aws import endpoint
from kaizen_tasks.adapters.aws.attempts import limit_requests
from kaizen_tasks.adapters.aws.credentials import create_core_session, credential_error, provider_of
from kaizen_tasks.adapters.network.failures import network_error
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain import duration
from kaizen_tasks.errors import ConfigurationError, Denied, KaizenError, NotFound, Refused, Unreachable, Unsupported
from kaizen_tasks.ports.cloud import Identity

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.exceptions import ClientError
    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient

SERVICES: Final = ("sts", "ecr", "apprunner", "dynamodb", "secretsmanager", "logs")
TOTAL_ATTEMPTS = 5
MAX_POOL_CONNECTIONS = 32
MIN_CLOCK_OFFSET = timedelta(seconds=2)  # a Date header is truncated to seconds, and its response takes a while
MIN_REPORTED_SKEW = timedelta(minutes=1)
SET_CLOCK_HINT = "set this machine's clock: timedatectl set-ntp true; then run the same command again"
AWS_URL = "https://amazonaws.com"  # stands for the endpoint in errors of a proxy, which do not name it
MAX_MESSAGE_LENGTH = 300  # some messages repeat the whole request

# Error codes by meaning: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
EXPIRED_CREDENTIAL_CODES = frozenset({"ExpiredToken", "ExpiredTokenException"})
INVALID_CREDENTIAL_CODES = frozenset(
    {
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
ACCESS_DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired", "UnauthorizedOperation"}
)
# botocore's classes by meaning, their subclasses included. By name, since botocore is slow to import.
SETTING_ERRORS = frozenset(
    {
        "BaseEndpointResolverError",
        "EndpointProviderError",
        "InvalidChecksumConfigError",
        "InvalidDefaultsMode",
        "InvalidEndpointConfigurationError",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "InvalidRetryConfigurationError",
        "InvalidSTSRegionalEndpointsConfigError",
        "UnknownRegionError",
    }
)
UNREADABLE_RESPONSE_ERRORS = frozenset(
    {"ChecksumError", "FlexibleChecksumError", "IncompleteReadError", "ResponseParserError"}
)
NOT_FOUND_CODES = frozenset({"RepositoryNotFoundException", "ResourceNotFoundException"})
UNSUPPORTED_CODES = frozenset(
    {
        "InvalidAction",
        "MethodNotAllowed",
        "NotImplemented",
        "NotImplementedException",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
        "UnsupportedOperationException",
    }
)
TRANSIENT_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalServiceErrorException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServerException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class IamClient(Protocol):
    """The operations of IAM that this project uses; boto3's client has them."""

    def simulate_principal_policy(self, **request: object) -> Mapping[str, Any]:
        """Return one page of the simulator's results."""

    def get_role(self, *, RoleName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's spelling
        """Return a role with its full ARN."""


class LogsClient(Protocol):
    """The operations of CloudWatch Logs that this project uses; boto3's client has them."""

    def describe_log_streams(self, **request: object) -> Mapping[str, Any]:
        """Return one page of a log group's streams."""

    def get_log_events(self, **request: object) -> Mapping[str, Any]:
        """Return one page of a stream's events, oldest first."""


class Aws(Identity):
    """AWS clients for one region and one set of credentials. Safe to use from several threads.

    Clients, except that of STS, are returned only if the credentials belong to the configured account.

    Args:
        region: such as `eu-west-1`.
        profile: a profile of the user's AWS configuration, or empty for the default credential chain.
        account: twelve digits, or empty to accept any account.

    Attributes:
        profile: the profile in effect, or empty.
        network: proxies, and trusted certificates; `ca_bundle` of the profile among them.
    """

    def __init__(self, *, region: str, profile: str, account: str) -> None:
        self._region = region
        self.profile = profile
        self._expected_account = account
        self._lock = Lock()
        self._clients: dict[str, object] = {}
        self._session: boto3.session.Session | None = None
        self._caller: _Caller | None = None
        self.network = NetworkSettings(self._profile_bundle)

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

    def endpoint_urls(self) -> tuple[str, ...]:
        """Return the URLs of the services that are used; no credentials are looked for."""
        from botocore import UNSIGNED
        from botocore.config import Config

        with self._lock, aws_errors("find the endpoints of AWS", aws=self):
            create_client, unsigned = self._boto_session().client, Config(signature_version=UNSIGNED)
            return tuple(create_client(name, config=unsigned).meta.endpoint_url for name in SERVICES)

    def _client(self, service: str) -> object:
        with self._lock:
            self._verified_caller()
            return self._cached_client(service)

    def _cached_client(self, service: str) -> object:
        if service not in self._clients:
            self._clients[service] = self._create_client(service)
        return self._clients[service]

    def _verified_caller(self) -> _Caller:
        if self._caller is None:
            with aws_errors("check the AWS credentials", aws=self):
                caller = _ask_caller(cast("STSClient", self._cached_client("sts")))
            if self._expected_account not in {"", caller.account}:
                raise Denied(
                    f"the credentials belong to account {caller.account}, but {self._expected_account} is configured",
                    state="nothing was read from it",
                    hint="use another AWS_PROFILE, or correct aws.account in the configuration",
                )
            self._caller = caller
        return self._caller

    def _create_client(self, service: str) -> object:
        """Return a new client, created in 60 to 80 ms. The caller must hold the lock: sessions are not thread-safe.

        botocore builds a client's exception classes on first use. Threads that use the client first at the same moment
        would get different classes, which `except` does not match. So the classes are built here, under the lock.
        """
        from botocore.config import Config

        endpoint.require_valid_variables(service)
        url = endpoint.from_environment(service) or f"https://{service}.{self._region}.amazonaws.com"
        config = Config(
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
            max_pool_connections=MAX_POOL_CONNECTIONS,
        )
        create_client = cast("Callable[..., BaseClient]", self._boto_session().client)
        client = create_client(service, config=config.merge(self._proxy_config(url)))
        if self.network.proxy(url) != self.network.proxy(client.meta.endpoint_url):
            client = create_client(service, config=config.merge(self._proxy_config(client.meta.endpoint_url)))
        limit_requests(client, verify=self.network.ca_bundle.path or True)
        _ = client.exceptions
        return client

    def _proxy_config(self, url: str) -> Config:
        """Return the proxy of an endpoint as botocore's configuration; no proxy is an empty one."""
        from botocore.config import Config

        proxy = self.network.proxy(url)
        if proxy is None:
            return Config(proxies={})
        proxy_url = proxy.url_with_credentials.reveal()
        proxies, bundle = {"http": proxy_url, "https": proxy_url}, self.network.ca_bundle.path
        if proxy.scheme == "https" and bundle:
            return Config(proxies=proxies, proxies_config={"proxy_ca_bundle": bundle})
        return Config(proxies=proxies)

    def _boto_session(self) -> boto3.session.Session:
        """Return the session, which trusts the authorities that all other connections trust."""
        import boto3

        if self._session is None:
            core = create_core_session(self.profile)
            if self.network.ca_bundle.is_configured:
                _ = self.network.tls_context  # botocore's error for a bad file does not name the setting
            if path := self.network.ca_bundle.path:
                core.set_config_variable("ca_bundle", path)
            sts = f"https://sts.{self._region}.amazonaws.com"
            proxy = self.network.proxy(sts)
            if proxy and proxy.source.lower() == "all_proxy":  # botocore's own clients, for roles and SSO, ignore it
                core.set_default_client_config(self._proxy_config(sts))
            self._session = boto3.session.Session(botocore_session=core, region_name=self._region)
        return self._session

    def _profile_bundle(self) -> str:
        """Return `ca_bundle` of the profile; empty when the profile cannot be read, which is reported with its use.

        The session is not that of the clients: whoever creates one of them holds its lock, and waits for this.
        """
        import botocore.session
        from botocore.exceptions import BotoCoreError

        with suppress(BotoCoreError):
            return str(botocore.session.Session(profile=self.profile or None).get_scoped_config().get("ca_bundle", ""))
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


def response_time(response: Mapping[str, Any]) -> datetime | None:
    """Return the time at which AWS sent a response, by its `Date` header; None when it has no valid one.

    The header is truncated to whole seconds, so the real time is half a second later on average.
    """
    try:
        date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError, TypeError):  # a proxy may remove the header, or add another one
        return None
    return date.astimezone(UTC) + timedelta(seconds=0.5) if date.tzinfo else None


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
    call = _FailedCall(action, change_error, not_found_hint, network, profile)
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


@frozen
class _FailedCall:
    """A failed AWS request, which is translated into an error."""

    action: str
    change_error: type[KaizenError] | None
    not_found_hint: str
    network: NetworkSettings
    profile: str

    def from_response(self, error: ClientError) -> KaizenError:
        """Return the error for a response, chosen by the response's error code."""
        code = error.response["Error"]["Code"]
        message = f"cannot {self.action}: {code}: {_one_line(error.response['Error'].get('Message', ''))}"
        if code in EXPIRED_CREDENTIAL_CODES | INVALID_CREDENTIAL_CODES:
            return self._rejected_credentials(error, message)
        if code in ACCESS_DENIED_CODES:
            return Denied(message, hint="ask for this permission, or use another profile")
        if code in NOT_FOUND_CODES:
            return NotFound(message, hint=self.not_found_hint)
        if _is_unsupported(code, error.response["ResponseMetadata"]["HTTPStatusCode"]):
            return Unsupported(message, hint="this cloud does not have the operation: is it an emulator?")
        if code in TRANSIENT_CODES or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return self._unknown_outcome(message)
        return (self.change_error or Refused)(message)

    def _rejected_credentials(self, error: ClientError, message: str) -> Denied:
        """Return the error for credentials that have expired or are wrong, or were used at a wrong time."""
        if error.response["Error"]["Code"] in EXPIRED_CREDENTIAL_CODES:
            message = f"your AWS credentials have expired: {message}"
        elif skew := _clock_skew_text(error):
            message = f"cannot {self.action}: AWS refuses requests because this machine's clock is {skew}"
            return Denied(message, hint=SET_CLOCK_HINT)
        return Denied(message, hint="log in again: aws sso login, or check AWS_PROFILE")

    def from_transport_failure(self, error: Exception) -> KaizenError:
        """Return the error for a request that was not sent, or got no response that can be read."""
        from botocore import exceptions as aws

        message = f"cannot {self.action}: {_one_line(str(error))}"
        if isinstance(error, aws.ConnectionError):
            url = error.kwargs.get("endpoint_url") or os.environ.get(endpoint.ALL_SERVICES) or AWS_URL
            if explained := network_error(error, str(url), self.network):
                return explained
            answers = not isinstance(error, aws.EndpointConnectionError | aws.ConnectTimeoutError)
            return Unreachable(message, hint=endpoint.hint(str(error.kwargs.get("endpoint_url", "")), answers=answers))
        if "Invalid header value" in message:  # the message continues with the header
            message = f"cannot {self.action}: the access key or the session token has a character that it cannot have"
            return Denied(message, hint="set AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN without line breaks")
        names = {base.__name__ for base in type(error).__mro__}
        if isinstance(error, aws.HTTPClientError | aws.WaiterError) or names & UNREADABLE_RESPONSE_ERRORS:
            return self._unknown_outcome(message)
        if names & SETTING_ERRORS:
            hint = "correct aws.region in the configuration, the AWS_* variables or ~/.aws/config"
            return ConfigurationError((message,), hint=hint)
        return (self.change_error or Refused)(message)

    def _unknown_outcome(self, message: str) -> KaizenError:
        if self.change_error is None:
            return Unreachable(message, hint="run the same command again")
        return self.change_error(message, state="it may have taken effect", hint="run the same command again")


def _is_unsupported(code: str, status: int) -> bool:
    """Return whether a cloud lacks the operation; botocore reports the status for an answer that has no error code."""
    return code in UNSUPPORTED_CODES or status == 501 or (code == str(status) and status in {400, 404, 405})


def _clock_skew_text(error: ClientError) -> str:
    """Return how wrong this machine's clock is by the date of a response; empty for less than a minute."""
    server_time = response_time(cast("Mapping[str, Any]", error.response))
    skew = datetime.now(UTC) - server_time if server_time else timedelta(0)
    if abs(skew) < MIN_REPORTED_SKEW:
        return ""
    return f"{duration.format_duration(abs(skew).total_seconds())} {'ahead' if skew > timedelta(0) else 'behind'}"


def _one_line(text: str) -> str:
    return shorten(text, MAX_MESSAGE_LENGTH, placeholder=" …")
