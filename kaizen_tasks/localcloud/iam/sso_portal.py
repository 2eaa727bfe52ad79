"""IAM Identity Center's portal, of which SDKs ask the credentials of a profile with an `sso_session`.

There is no sign-in: the access token in the SDK's cache has to be the token of the control API.
https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.iam.roles import DEFAULT_SESSION_SECONDS, open_role
from kaizen_tasks.localcloud.location import ACCOUNT_PATTERN
from kaizen_tasks.localcloud.server.http_message import HttpResponse
from kaizen_tasks.localcloud.server.refusals import json_error
from kaizen_tasks.localcloud.signing.sessions import Sessions, role_session

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import HttpRequest

PORTAL_PATH = "/federation/credentials"
"""Path of GetRoleCredentials, which has no signature."""

_TOKEN_HEADER = "x-amz-sso_bearer_token"  # noqa: S105 - the header's name
_USER = "local"


@attrs.frozen(kw_only=True)
class SsoPortal:
    """Answers GetRoleCredentials.

    Args:
        sessions: issues credentials.
        access_token: what a client has to send.
        now: returns seconds since the epoch, by which sessions expire.
    """

    sessions: Sessions
    access_token: str = attrs.field(repr=False)
    now: Callable[[], float] = time.time

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to the portal."""
        if not hmac.compare_digest(request.header(_TOKEN_HEADER).encode(), self.access_token.encode()):
            return json_error(401, "UnauthorizedException", "Session token not found or invalid")
        account, role_name = request.query.get("account_id", ""), request.query.get("role_name", "")
        if not ACCOUNT_PATTERN.fullmatch(account) or not role_name:
            return json_error(400, "InvalidRequestException", "account_id and role_name are needed")
        role = open_role(account, f"AWSReservedSSO_{role_name}_{account}abcd")
        session = role_session(account, role.name, _USER, role.id)
        credentials = self.sessions.issue(session, self.now() + DEFAULT_SESSION_SECONDS)
        document = {
            "accessKeyId": credentials.access_key_id,
            "secretAccessKey": credentials.secret_access_key,
            "sessionToken": credentials.session_token,
            "expiration": int((time.time() + DEFAULT_SESSION_SECONDS) * 1000),
        }
        return HttpResponse.json_response(200, {"roleCredentials": document})
