"""Routes requests to services, subject to injected faults, and logs them."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import attrs

from kaizen_tasks.localcloud.iam.sso_portal import PORTAL_PATH
from kaizen_tasks.localcloud.iam.sts_api import WEB_IDENTITY_OPERATION
from kaizen_tasks.localcloud.location import Location, is_region
from kaizen_tasks.localcloud.location_services import OWN_SERVICES
from kaizen_tasks.localcloud.registry.distribution_api import LAYER_DOWNLOAD_PREFIX
from kaizen_tasks.localcloud.server.clients import check_control_request, check_host, own_hosts
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpResponse
from kaizen_tasks.localcloud.server.refusals import RequestRefused, error_response
from kaizen_tasks.localcloud.server.request_body import BodyTooLargeError
from kaizen_tasks.localcloud.signing.sessions import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.iam.query_protocol import AwsQueryEndpoint
    from kaizen_tasks.localcloud.iam.sso_portal import SsoPortal
    from kaizen_tasks.localcloud.locations import Locations
    from kaizen_tasks.localcloud.server.access_log import AccessLog
    from kaizen_tasks.localcloud.server.faults import FaultInjector
    from kaizen_tasks.localcloud.server.http_message import HttpRequest
    from kaizen_tasks.localcloud.signing.signatures import SignatureVerifier

REGISTRY_SERVICE = "registry"
CONTROL_PREFIX = "/_kaizen/"
"""Path of the control API, by which tests arrange faults and resume requests at breakpoints."""

_INSUFFICIENT_STORAGE = 507  # RFC 4918, section 11.5; SDKs do not retry it
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Route:
    """The destination of a request.

    Args:
        service: the signing name, `registry`, or empty for an unsigned request.
        location: the account of the signature's key and the region of its scope, or those of the registry.
        operation: the operation's name; empty for protocols that have only paths.
        principal: who has signed the request.
    """

    service: str
    location: Location | None = None
    operation: str = ""
    principal: Principal | None = None

    def log_fields(self, request: HttpRequest) -> Mapping[str, str]:
        """Return the members that identify the request in the access log."""
        place = attrs.asdict(self.location) if self.location else {}
        if self.operation:
            return {"service": self.service, "operation": self.operation, **place}
        return {"service": self.service, "method": request.method, "path": request.path, **place}


class Router:
    """Answers every request.

    Args:
        locations: the services of all accounts and regions; the port of a request to a registry says which one.
        sts: answers requests to STS, which is the same in all regions.
        portal: answers requests for the credentials of profiles with an `sso_session`.
        faults: the injected faults.
        access_log: the log of requests.
        verifier: verifies the signatures of requests to AWS services, and has the token of the control API.
    """

    def __init__(
        self,
        *,
        locations: Locations,
        sts: AwsQueryEndpoint,
        portal: SsoPortal,
        faults: FaultInjector,
        access_log: AccessLog,
        verifier: SignatureVerifier,
    ) -> None:
        self._locations = locations
        self._sts = sts
        self._portal = portal
        self._faults = faults
        self._access_log = access_log
        self._verifier = verifier

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request.

        Raises:
            DropConnectionError: the connection is to be reset.
            ConnectionError: the client has disconnected.
        """
        try:
            check_host(request, own_hosts(request.port))
            if request.path.startswith(CONTROL_PREFIX) and not request.path.startswith(LAYER_DOWNLOAD_PREFIX):
                check_control_request(request, self._verifier.credentials.control_token)
                return self._handle_control(request)
            route = self._route(request)
        except BodyTooLargeError as error:
            response = error_response(request, 413, "RequestEntityTooLargeException", str(error))
            return self._access_log.record(request, response, Route(service="").log_fields(request))
        except RequestRefused as refusal:
            response = error_response(request, refusal.status, refusal.code, refusal.message)
            return self._access_log.record(request, response, Route(service="").log_fields(request))
        return self._access_log.record(request, self._handle_safely(request, route), route.log_fields(request))

    def _route(self, request: HttpRequest) -> Route:
        if request.path.startswith(("/v2/", LAYER_DOWNLOAD_PREFIX)):
            return Route(service=REGISTRY_SERVICE, location=self._locations.at_port(request.port).location)
        caller = self._verifier.verify(request)
        operation = _operation_name(request)
        if caller is None:
            is_sts = operation == WEB_IDENTITY_OPERATION
            return Route(service=self._sts.service.name, operation=operation) if is_sts else Route(service="")
        location = Location(account=caller.principal.account, region=caller.region)
        if caller.service in OWN_SERVICES and location != self._locations.home and not is_region(caller.region):
            message = "Credential should be scoped to a valid region."
            raise RequestRefused(403, "InvalidSignatureException", message)
        return Route(service=caller.service, location=location, operation=operation, principal=caller.principal)

    def _handle_safely(self, request: HttpRequest, route: Route) -> HttpResponse:
        label = route.operation or f"{request.method} {request.path}"
        try:
            return self._faults.intercept(
                request,
                functools.partial(self._dispatch, route),
                service=route.service,
                operation=label,
                location=route.location,
            )
        except (ConnectionError, TimeoutError, DropConnectionError):
            raise
        except OSError as error:
            _log.exception("%s %s", route.service, label)
            message = f"the local cloud cannot store this: {error}"
            return error_response(request, _INSUFFICIENT_STORAGE, "InsufficientStorage", message)
        except Exception:  # noqa: BLE001 - every request gets a response
            _log.exception("%s %s", route.service, label)
            return HttpResponse.json_response(500, {"message": "see the local cloud's log"})

    def _dispatch(self, route: Route, request: HttpRequest) -> HttpResponse:
        if route.service == REGISTRY_SERVICE:
            return self._locations.at_port(request.port).registry.handle(request)
        if route.service == self._sts.service.name:
            return self._sts.handle(request, route.operation, route.principal)
        if route.location is None:
            return self._handle_unsigned(request)
        if route.service in OWN_SERVICES:
            return self._locations.find(route.location).endpoints[route.service].handle(request, route.operation)
        moto = self._locations.moto(route.location.account)
        return moto.handle(request, service=route.service, region=route.location.region)

    def _handle_unsigned(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD") and request.path == "/":
            location = self._locations.at_port(request.port).location
            document = {"status": "ok", "name": "kaizen local cloud", **attrs.asdict(location)}
            return HttpResponse.json_response(200, document)
        if request.method == "GET" and request.path == PORTAL_PATH:
            return self._portal.handle(request)
        error = {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"}
        return HttpResponse.json_response(403, error)

    def _handle_control(self, request: HttpRequest) -> HttpResponse:
        """Answer a request of the control API."""
        try:
            return self._dispatch_control(request)
        except (ValueError, TypeError, KeyError) as error:
            return HttpResponse.json_response(400, {"message": f"not understood: {error}"})

    def _dispatch_control(self, request: HttpRequest) -> HttpResponse:
        match (request.method, request.path.removeprefix(CONTROL_PREFIX)):
            case ("GET", "parked"):
                return HttpResponse.json_response(
                    200, self._faults.breakpoints.wait_for_operations(float(request.query.get("seconds", "0")))
                )
            case ("POST", "parked"):
                self._faults.breakpoints.resume(drop=bool(json.loads(request.content)["drop"]))
            case ("POST", "faults"):
                self._faults.add(json.loads(request.content))
            case ("DELETE", "faults"):
                self._faults.clear()
            case _:
                return HttpResponse(status=405)
        return HttpResponse(status=204)


def _operation_name(request: HttpRequest) -> str:
    """Return the operation's name in the JSON and query protocols, or an empty string."""
    if target := request.header("X-Amz-Target"):
        return target.rpartition(".")[2]
    if request.header("Content-Type").startswith("application/x-www-form-urlencoded"):
        return parse_qs(request.content.decode(errors="replace")).get("Action", [""])[0]
    return ""
