"""Routes requests to services, subject to injected faults, and logs them."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import attrs

from kaizen_tasks.localcloud.registry.distribution_api import LAYER_DOWNLOAD_PREFIX
from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint
from kaizen_tasks.localcloud.server.clients import check_control_request, check_host
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpResponse
from kaizen_tasks.localcloud.server.refusals import RequestRefused, error_response
from kaizen_tasks.localcloud.server.request_body import BodyTooLargeError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kaizen_tasks.localcloud.moto.backend import MotoBackend
    from kaizen_tasks.localcloud.registry.distribution_api import DistributionApi
    from kaizen_tasks.localcloud.server.access_log import AccessLog
    from kaizen_tasks.localcloud.server.aws_json import AwsService
    from kaizen_tasks.localcloud.server.faults import FaultInjector
    from kaizen_tasks.localcloud.server.http_message import HttpRequest
    from kaizen_tasks.localcloud.server.signatures import SignatureVerifier

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
        region: region of the signature's scope, or empty.
        operation: the operation's name; empty for protocols that have only paths.
    """

    service: str
    region: str = ""
    operation: str = ""

    def log_fields(self, request: HttpRequest) -> Mapping[str, str]:
        """Return the members that identify the request in the access log."""
        if self.operation:
            return {"service": self.service, "operation": self.operation}
        return {"service": self.service, "method": request.method, "path": request.path}


class Router:
    """Answers every request.

    Args:
        registry: answers requests below `/v2/`.
        moto: answers requests to services that were not added.
        faults: the injected faults.
        access_log: the log of requests.
        verifier: verifies the signatures of requests to AWS services, and has the token of the control API.
        hosts: the values of `Host` that are answered.
        info: members of the status document at `/`.
    """

    def __init__(
        self,
        *,
        registry: DistributionApi,
        moto: MotoBackend,
        faults: FaultInjector,
        access_log: AccessLog,
        verifier: SignatureVerifier,
        hosts: Collection[str],
        info: Mapping[str, str],
    ) -> None:
        self._registry = registry
        self._moto = moto
        self._faults = faults
        self._access_log = access_log
        self._verifier = verifier
        self._hosts = hosts
        self._info = info
        self._endpoints: dict[str, AwsJsonEndpoint] = {}

    def add_service(self, service: AwsService) -> None:
        """Route a service's requests to it."""
        self._endpoints[service.name] = AwsJsonEndpoint(service=service, region=self._info["region"])

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request.

        Raises:
            DropConnectionError: the connection is to be reset.
            ConnectionError: the client has disconnected.
        """
        try:
            check_host(request, self._hosts)
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
            return Route(service=REGISTRY_SERVICE)
        signature = self._verifier.verify(request)
        if signature is None:
            return Route(service="")
        return Route(service=signature.service, region=signature.region, operation=_operation_name(request))

    def _handle_safely(self, request: HttpRequest, route: Route) -> HttpResponse:
        label = route.operation or f"{request.method} {request.path}"
        try:
            return self._faults.intercept(
                request,
                functools.partial(self._dispatch, route),
                service=route.service,
                operation=label,
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
            return self._registry.handle(request)
        if not route.service:
            return self._handle_unsigned(request)
        endpoint = self._endpoints.get(route.service)
        if endpoint is None:
            return self._moto.handle(request, service=route.service, region=route.region)
        return endpoint.handle(request, region=route.region, operation=route.operation)

    def _handle_unsigned(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD") and request.path == "/":
            return HttpResponse.json_response(200, {"status": "ok", **self._info})
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
