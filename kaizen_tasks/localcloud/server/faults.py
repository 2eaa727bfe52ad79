"""Fault injection: delays, errors, dropped connections and replaced responses for the next matching requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import attrs

from kaizen_tasks.localcloud.server.breakpoints import Breakpoints
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpResponse
from kaizen_tasks.localcloud.server.refusals import error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.location import Location
    from kaizen_tasks.localcloud.server.http_message import HttpRequest


@attrs.frozen(kw_only=True)
class Fault:
    """A fault, and the requests that it applies to.

    Args:
        service: wildcard pattern of the service, such as `ecr` or `*`.
        account: wildcard pattern of the account.
        region: wildcard pattern of the region.
        operation: wildcard pattern of the operation, or of `METHOD /path` for the registry.
        late: whether the fault happens after the request has been executed, so that its response is lost.
        park: whether the request waits at a breakpoint.
        latency: seconds by which the response is delayed.
        code: code of an error to respond with; the request is not executed, unless the fault is late.
        status: HTTP status of the error.
        reply: document to respond with instead of executing the request.
        reset: whether the connection is reset.
        without: query parameters to remove before the request is executed.
    """

    service: str = "*"
    operation: str = "*"
    account: str = "*"
    region: str = "*"
    late: bool = False
    park: bool = False
    latency: float = 0
    code: str = ""
    status: int = 400
    reply: Mapping[str, Any] | None = None
    reset: bool = False
    without: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fault:
        """Parse `{"match": {"service", "operation"}, "do": {"error": {"code", "status"}}}`, or another effect.

        Raises:
            TypeError: the document has unknown members.
        """
        effect = dict(document["do"])
        error = effect.pop("error", {})
        return cls(**document.get("match", {}), **effect, **error)

    def matches(self, service: str, operation: str, location: Location | None) -> bool:
        """Return whether the fault applies to a request."""
        account, region = (location.account, location.region) if location else ("", "")
        patterns = (self.service, self.operation, self.account, self.region)
        return all(map(fnmatchcase, (service, operation, account, region), patterns))

    def strip_query(self, request: HttpRequest) -> HttpRequest:
        """Return the request without the query parameters to remove."""
        if not self.without:
            return request
        query = {name: value for name, value in request.query.items() if name not in self.without}
        return attrs.evolve(request, target=urlsplit(request.target)._replace(query=urlencode(query)).geturl())


@attrs.define(kw_only=True)
class _ScheduledFault:
    """A fault that happens `times` times: after `skip` matching requests, and to each `every`th from then on."""

    fault: Fault
    skip: int
    every: int
    times: int


class FaultInjector:
    """The faults that have been arranged.

    Attributes:
        breakpoints: requests that wait.
    """

    def __init__(self) -> None:
        self.breakpoints = Breakpoints()
        self._lock = threading.Lock()
        self._scheduled_faults: list[_ScheduledFault] = []

    def add(self, document: Mapping[str, Any]) -> None:
        """Arrange a fault: `times` times (1), after `skip` matching requests (0), to each `every`th of them (1)."""
        fault, every = Fault.from_document(document), int(document.get("every", 1))
        scheduled = _ScheduledFault(
            fault=fault,
            skip=int(document.get("skip", 0)) + every - 1,
            every=every,
            times=int(document.get("times", 1)),
        )
        with self._lock:
            self._scheduled_faults.append(scheduled)

    def clear(self) -> None:
        """Remove all faults and resume all waiting requests."""
        with self._lock:
            self._scheduled_faults.clear()
        self.breakpoints.resume()

    def intercept(
        self,
        request: HttpRequest,
        handler: Callable[[HttpRequest], HttpResponse],
        *,
        service: str,
        operation: str,
        location: Location | None = None,
    ) -> HttpResponse:
        """Answer a request by a handler, subject to the next fault that applies.

        Raises:
            DropConnectionError: the connection is to be reset.
        """
        fault = self._next_fault(service, operation, location)
        if fault is None:
            return handler(request)
        if fault.late:
            response = handler(fault.strip_query(request))
            return self._inject(request, fault, operation) or response
        return self._inject(request, fault, operation) or handler(fault.strip_query(request))

    def _inject(self, request: HttpRequest, fault: Fault, operation: str) -> HttpResponse | None:
        time.sleep(fault.latency)  # the delay is the fault
        if fault.park:
            self.breakpoints.pause(operation)
        if fault.reset:
            raise DropConnectionError
        if fault.reply is not None:
            return _json_response(request, 200, fault.reply)
        return error_response(request, fault.status, fault.code, "scripted fault") if fault.code else None

    def _next_fault(self, service: str, operation: str, location: Location | None) -> Fault | None:
        with self._lock:
            for scheduled in self._scheduled_faults:
                if scheduled.fault.matches(service, operation, location) and self._is_due(scheduled):
                    return scheduled.fault
        return None

    def _is_due(self, scheduled: _ScheduledFault) -> bool:
        """Count a matching request; return whether the fault happens to it."""
        if scheduled.skip:
            scheduled.skip -= 1
            return False
        scheduled.skip = scheduled.every - 1
        scheduled.times -= 1
        if not scheduled.times:
            self._scheduled_faults.remove(scheduled)
        return True


def _json_response(request: HttpRequest, status: int, content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse.json_response(
        status, content, media_type=request.header("Content-Type") or "application/x-amz-json-1.1"
    )
