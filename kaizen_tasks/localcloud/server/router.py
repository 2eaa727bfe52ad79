"""The one door: find out whom a request is for, let scripted faults happen, and write it down."""

from __future__ import annotations

import functools
import json
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import attrs

from kaizen_tasks.localcloud.ecr.layers import DOWNLOADS
from kaizen_tasks.localcloud.server.aws_json import Endpoint
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.moto.backend import Elsewhere
    from kaizen_tasks.localcloud.registry.distribution_api import Registry
    from kaizen_tasks.localcloud.server.access_log import RequestLog
    from kaizen_tasks.localcloud.server.aws_json import Service
    from kaizen_tasks.localcloud.server.faults import Faults
    from kaizen_tasks.localcloud.server.http_message import Call

REGISTRY = "registry"
CONTROL = "/_kaizen/"
"""Where whoever scripts this cloud arranges faults, and lets calls go on that wait."""

# SigV4's scope: access key / date / region / service / aws4_request.
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Destination:
    """Whom a request is for.

    Args:
        service: botocore's signing name, `registry`, or empty without a signature.
        region: of the signature's scope, or empty.
        operation: as the client names it, or empty where the path says everything.
    """

    service: str
    region: str = ""
    operation: str = ""

    def described(self, call: Call) -> Mapping[str, str]:
        """Return what the request log calls it."""
        if self.operation:
            return {"service": self.service, "operation": self.operation}
        return {"service": self.service, "method": call.method, "path": call.path}


class Front:
    """Answer every call.

    Args:
        registry: answers below `/v2/`.
        elsewhere: answers for every service that is not offered here.
        faults: what is to go wrong.
        log: where requests are written down.
        about: what the health document says.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        elsewhere: Elsewhere,
        faults: Faults,
        log: RequestLog,
        about: Mapping[str, str],
    ) -> None:
        self._registry = registry
        self._elsewhere = elsewhere
        self._faults = faults
        self._requests = log
        self._about = about
        self._endpoints: dict[str, Endpoint] = {}

    def offer(self, service: Service) -> None:
        """Answer for one more service."""
        self._endpoints[service.name] = Endpoint(service=service, region=self._about["region"])

    def __call__(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            DropConnectionError: a fault wants the connection to be reset.
            ConnectionError: the client went away.
        """
        if call.path.startswith(CONTROL) and not call.path.startswith(DOWNLOADS):
            return self._script(call)
        destination = _destination(call)
        return self._requests.follow(call, self._safely(call, destination), destination.described(call))

    def _safely(self, call: Call, destination: Destination) -> Reply:
        label = destination.operation or f"{call.method} {call.path}"
        try:
            return self._faults.around(
                call,
                functools.partial(self._answer, destination),
                service=destination.service,
                operation=label,
            )
        except (ConnectionError, DropConnectionError):
            raise
        except Exception:  # noqa: BLE001 - a client gets an answer whatever happens
            _log.exception("%s %s", destination.service, label)
            return Reply.document(500, {"message": "see the local cloud's log"})

    def _answer(self, destination: Destination, call: Call) -> Reply:
        if destination.service == REGISTRY:
            return self._registry.answer(call)
        if not destination.service:
            return self._unsigned(call)
        endpoint = self._endpoints.get(destination.service)
        if endpoint is None:
            return self._elsewhere.answer(call, service=destination.service, region=destination.region)
        return endpoint.answer(call, region=destination.region, operation=destination.operation)

    def _unsigned(self, call: Call) -> Reply:
        if call.method in ("GET", "HEAD") and call.path == "/":
            return Reply.document(200, {"status": "ok", **self._about})
        error = {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"}
        return Reply.document(403, error)

    def _script(self, call: Call) -> Reply:
        """Do what whoever scripts this cloud wants."""
        try:
            return self._control(call)
        except (ValueError, TypeError, KeyError) as error:
            return Reply.document(400, {"message": f"not understood: {error}"})

    def _control(self, call: Call) -> Reply:
        match (call.method, call.path.removeprefix(CONTROL)):
            case ("GET", "parked"):
                return Reply.document(200, self._faults.parking.seen(float(call.query.get("seconds", "0"))))
            case ("POST", "parked"):
                self._faults.parking.free(drop=bool(json.loads(call.content)["drop"]))
            case ("POST", "faults"):
                self._faults.add(json.loads(call.content))
            case ("DELETE", "faults"):
                self._faults.clear()
            case _:
                return Reply(status=405)
        return Reply(status=204)


def _destination(call: Call) -> Destination:
    if call.path.startswith(("/v2/", DOWNLOADS)):
        return Destination(service=REGISTRY)
    scope = _SCOPE.search(call.header("Authorization"))
    if scope is None:
        return Destination(service="")
    return Destination(service=scope["service"], region=scope["region"], operation=_operation(call))


def _operation(call: Call) -> str:
    """Return the operation's name in the JSON protocols and in the query protocol; others have none."""
    if target := call.header("X-Amz-Target"):
        return target.rpartition(".")[2]
    if call.header("Content-Type").startswith("application/x-www-form-urlencoded"):
        return parse_qs(call.content.decode(errors="replace")).get("Action", [""])[0]
    return ""
