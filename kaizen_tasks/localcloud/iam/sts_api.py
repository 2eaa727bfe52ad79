"""AWS Security Token Service: who somebody is, and sessions of roles in any account.

A role that was created by IAM is assumed by whom its trust policy permits. Any other role of any account stands open,
so that an account needs no preparation: twelve digits are enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import attrs

from kaizen_tasks.localcloud.iam.identity_token import InvalidTokenError, parse_identity_token
from kaizen_tasks.localcloud.iam.policy_document import PolicyRequest, is_permitted
from kaizen_tasks.localcloud.iam.roles import DEFAULT_SESSION_SECONDS, Role, open_role, parse_role_arn
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions, role_session

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.iam.identity_token import IdentityToken
    from kaizen_tasks.localcloud.server.http_message import JsonObject

WEB_IDENTITY_OPERATION = "AssumeRoleWithWebIdentity"
"""The operation that needs no signature."""

_CHAINED_SECONDS = 3600  # a session of a role may begin another one for an hour at most
_USER_SESSION_SECONDS = 43_200
_WRONG_CODE = "000000"  # the code that a device for multi-factor authentication never shows here


@attrs.frozen(kw_only=True)
class Sts:
    """The operations of STS.

    Args:
        sessions: issues credentials.
        find_role: returns a role that was created, by its account and name.
        identity_key: what identity tokens are signed with.
        now: returns seconds since the epoch, by which sessions expire.
    """

    name: ClassVar[str] = "sts"

    sessions: Sessions
    find_role: Callable[[str, str], Role | None]
    identity_key: str = attrs.field(repr=False)
    now: Callable[[], float] = time.time

    def get_caller_identity(self, _request: JsonObject, caller: Principal) -> JsonObject:
        """Return who has signed the request."""
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    def assume_role(self, request: JsonObject, caller: Principal) -> JsonObject:
        """Begin a session of a role."""
        has_mfa = _check_mfa(request)
        role = self._get_role(request["RoleArn"])
        context = {
            "sts:RoleSessionName": request["RoleSessionName"],
            "aws:PrincipalArn": caller.role_arn or caller.arn,
            "aws:PrincipalAccount": caller.account,
            "aws:MultiFactorAuthPresent": str(has_mfa).lower(),
            **({"sts:ExternalId": request["ExternalId"]} if "ExternalId" in request else {}),
        }
        permission = PolicyRequest(action="sts:AssumeRole", principal=caller, context=context)
        if role.trust is not None and not is_permitted(role.trust, permission):
            subject = f"User: {caller.arn} is not authorized to perform"
            raise _access_denied(f"{subject}: sts:AssumeRole on resource: {request['RoleArn']}")
        return self._begin_session(role, request, is_chained=caller.is_role_session)

    def assume_role_with_web_identity(self, request: JsonObject, _caller: Principal | None) -> JsonObject:
        """Begin a session of a role for whom an identity provider vouches."""
        role, token = self._get_role(request["RoleArn"]), self._parse_token(request["WebIdentityToken"])
        permission = PolicyRequest(
            action=f"sts:{WEB_IDENTITY_OPERATION}",
            federated=f"arn:aws:iam::{role.account}:oidc-provider/{token.issuer}",
            context={f"{token.issuer}:sub": token.subject, f"{token.issuer}:aud": token.audience},
        )
        if role.trust is not None and not is_permitted(role.trust, permission):
            raise _access_denied(f"Not authorized to perform sts:{WEB_IDENTITY_OPERATION}")
        return {
            **self._begin_session(role, request, is_chained=False),
            "SubjectFromWebIdentityToken": token.subject,
            "Audience": token.audience,
            "Provider": permission.federated,
        }

    def get_session_token(self, request: JsonObject, caller: Principal) -> JsonObject:
        """Begin a session of the user."""
        _check_mfa(request)
        if caller.is_role_session:
            raise _access_denied("Cannot call GetSessionToken with session credentials")
        return self._issue(caller, request.get("DurationSeconds", _USER_SESSION_SECONDS))

    def _get_role(self, arn: str) -> Role:
        identifier = parse_role_arn(arn)
        if identifier is None:
            raise ServiceError("ValidationError", f"{arn} is invalid")
        return self.find_role(*identifier) or open_role(*identifier)

    def _parse_token(self, text: str) -> IdentityToken:
        try:
            token = parse_identity_token(text, self.identity_key)
        except InvalidTokenError as error:
            raise ServiceError("InvalidIdentityToken", str(error)) from error
        if token.expires <= self.now():
            raise ServiceError("ExpiredTokenException", f"Token expired: current date/time {int(self.now())}")
        return token

    def _begin_session(self, role: Role, request: JsonObject, *, is_chained: bool) -> JsonObject:
        seconds = request.get("DurationSeconds", DEFAULT_SESSION_SECONDS)
        if is_chained and seconds > _CHAINED_SECONDS:
            limit = "1 hour session limit for roles assumed by role chaining"
            raise ServiceError("ValidationError", f"The requested DurationSeconds exceeds the {limit}")
        if seconds > role.max_session_seconds:
            limit = "MaxSessionDuration set for this role."
            raise ServiceError("ValidationError", f"The requested DurationSeconds exceeds the {limit}")
        session = role_session(role.account, role.name, request["RoleSessionName"], role.id)
        return {
            **self._issue(session, seconds),
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
            "SourceIdentity": request.get("SourceIdentity"),
        }

    def _issue(self, principal: Principal, seconds: int) -> JsonObject:
        credentials = self.sessions.issue(principal, self.now() + seconds)
        return {
            "Credentials": {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
                "Expiration": datetime.fromtimestamp(int(time.time()) + seconds, UTC),
            }
        }


def _check_mfa(request: JsonObject) -> bool:
    """Return whether a request has a code of a device for multi-factor authentication.

    Raises:
        ServiceError: the code is wrong, or the device is not named.
    """
    failure = "MultiFactorAuthentication failed"
    if ("SerialNumber" in request) != ("TokenCode" in request):
        raise _access_denied(f"{failure}, must provide both MFA serial number and one time pass code.")
    if request.get("TokenCode") == _WRONG_CODE:
        raise _access_denied(f"{failure} with invalid MFA one time pass code.")
    return "TokenCode" in request


def _access_denied(message: str) -> ServiceError:
    return ServiceError("AccessDenied", message, status=403)
