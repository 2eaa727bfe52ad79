"""Translates failed AWS requests into errors with a hint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from kaizen_tasks.adapters.aws import endpoint
from kaizen_tasks.adapters.aws.credentials import rejection_hint
from kaizen_tasks.adapters.network.failures import network_error
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import ConfigurationError, Denied, KaizenError, NotFound, Refused, Unreachable, Unsupported

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

MIN_REPORTED_SKEW = timedelta(minutes=1)
SET_CLOCK_HINT = "set this machine's clock: timedatectl set-ntp true; then run the same command again"
OUTCOME_UNKNOWN = "it may have taken effect"
"""The state in the error of a change whose answer did not arrive."""

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
NOT_FOUND_CODES = frozenset({"NoSuchEntity", "RepositoryNotFoundException", "ResourceNotFoundException"})
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
        "TransactionConflictException",
    }
)


@frozen
class FailedCall:
    """A failed AWS request, which is translated into an error."""

    action: str
    change_error: type[KaizenError] | None
    not_found_hint: str
    network: NetworkSettings
    profile: str

    def from_response(self, error: ClientError) -> KaizenError:
        """Return the error for a response, chosen by the response's error code."""
        code, is_refused = error.response["Error"]["Code"], self._is_refused_change(error)
        message = f"cannot {self.action}: {code}: {_one_line(error.response['Error'].get('Message', ''))}"
        if code in EXPIRED_CREDENTIAL_CODES | INVALID_CREDENTIAL_CODES:
            return self._rejected_credentials(error, message)
        if code in ACCESS_DENIED_CODES:
            hint = "ask for this permission, or use another profile"
            return Denied(message, hint=hint, is_without_effect=is_refused)
        if code in NOT_FOUND_CODES:
            return NotFound(message, hint=self.not_found_hint)
        if _is_unsupported(code, error.response["ResponseMetadata"]["HTTPStatusCode"]):
            hint = "this cloud does not have the operation: is it an emulator?"
            return Unsupported(message, hint=hint, is_without_effect=is_refused)
        if code in TRANSIENT_CODES or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return self._unknown_outcome(message)
        return (self.change_error or Refused)(message, is_without_effect=is_refused)

    def _is_refused_change(self, error: ClientError) -> bool:
        """Return whether a response refuses a change; of one that was sent several times, an answer may be lost."""
        return self.change_error is not None and not error.response["ResponseMetadata"].get("RetryAttempts")

    def _rejected_credentials(self, error: ClientError, message: str) -> Denied:
        """Return the error for credentials that have expired or are wrong, or were used at a wrong time."""
        if error.response["Error"]["Code"] in EXPIRED_CREDENTIAL_CODES:
            message = f"your AWS credentials have expired: {message}"
        elif skew := _clock_skew_text(error):
            message = f"cannot {self.action}: AWS refuses requests because this machine's clock is {skew}"
            return Denied(message, hint=SET_CLOCK_HINT)
        return Denied(message, hint=rejection_hint())

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
        return self.change_error(message, state=OUTCOME_UNKNOWN, hint="run the same command again")


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


def response_time(response: Mapping[str, Any]) -> datetime | None:
    """Return the time at which AWS sent a response, by its `Date` header; None when it has no valid one.

    The header is truncated to whole seconds, so the real time is half a second later on average.
    """
    try:
        date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError, TypeError):  # a proxy may remove the header, or add another one
        return None
    return date.astimezone(UTC) + timedelta(seconds=0.5) if date.tzinfo else None
