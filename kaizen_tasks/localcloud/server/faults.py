"""Scripted misbehaviour: the next calls that match are late, refused, cut off, or answered with something else."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

import attrs

from kaizen_tasks.localcloud.server.breakpoints import Breakpoints
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.server.http_message import HttpRequest


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to calls that match.

    Args:
        service: a wildcard pattern, for example `ecr` or `*`.
        operation: a wildcard pattern of an operation, or of `METHOD /path` for the registry.
        late: whether it happens when the call has been carried out, instead of before: the answer is lost then.
        park: whether the call waits until somebody lets it go on.
        latency: seconds before the call is answered.
        code: of the error to answer with; the call is then not carried out, unless the fault is late.
        status: the error's HTTP status.
        reply: a document to answer with in place of the true one.
        reset: whether the connection is reset instead of an answer.
        without: names in the call's query that are taken away before it is carried out.
    """

    service: str = "*"
    operation: str = "*"
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
        """Read `{"match": {"service", "operation"}, "do": {"error": {"code", "status"}}}`, or another effect.

        Raises:
            TypeError: there is something that is not understood.
        """
        effect = dict(document["do"])
        error = effect.pop("error", {})
        return cls(**document.get("match", {}), **effect, **error)

    def matches(self, service: str, operation: str) -> bool:
        """Tell whether a call is meant."""
        return fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)

    def strip_query(self, request: HttpRequest) -> HttpRequest:
        """Return the call as it is carried out."""
        if not self.without:
            return request
        query = {name: value for name, value in request.query.items() if name not in self.without}
        return attrs.evolve(request, target=urlsplit(request.target)._replace(query=urlencode(query)).geturl())


@attrs.define(kw_only=True)
class _ScheduledFault:
    """A fault that is still to happen: after so many calls that match, so many times."""

    fault: Fault
    skip: int
    times: int


class FaultInjector:
    """The faults that are still to happen.

    Attributes:
        breakpoints: the calls that wait.
    """

    def __init__(self) -> None:
        self.breakpoints = Breakpoints()
        self._lock = threading.Lock()
        self._scheduled_faults: list[_ScheduledFault] = []

    def add(self, document: Mapping[str, Any]) -> None:
        """Arrange a fault, `times` times (once where that is not said), after `skip` calls that match it."""
        fault = Fault.from_document(document)
        with self._lock:
            self._scheduled_faults.append(
                _ScheduledFault(fault=fault, skip=document.get("skip", 0), times=document.get("times", 1))
            )

    def clear(self) -> None:
        """Let nothing happen any more, and every call that waits go on."""
        with self._lock:
            self._scheduled_faults.clear()
        self.breakpoints.resume()

    def intercept(
        self, request: HttpRequest, handler: Callable[[HttpRequest], HttpResponse], *, service: str, operation: str
    ) -> HttpResponse:
        """Answer a call, and let the next matching fault happen to it.

        Raises:
            DropConnectionError: the connection is to be reset.
        """
        fault = self._next_fault(service, operation)
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
        return _error_response(request, fault) if fault.code else None

    def _next_fault(self, service: str, operation: str) -> Fault | None:
        with self._lock:
            for scheduled in self._scheduled_faults:
                if scheduled.fault.matches(service, operation) and self._is_due(scheduled):
                    return scheduled.fault
        return None

    def _is_due(self, scheduled: _ScheduledFault) -> bool:
        """Count a call that matches; tell whether the fault happens to it."""
        if scheduled.skip:
            scheduled.skip -= 1
            return False
        scheduled.times -= 1
        if not scheduled.times:
            self._scheduled_faults.remove(scheduled)
        return True


def _error_response(request: HttpRequest, fault: Fault) -> HttpResponse:
    """Answer in the protocol that the client speaks."""
    message = "scripted fault"
    if request.path.startswith("/v2/"):
        return HttpResponse.json_response(fault.status, {"errors": [{"code": fault.code, "message": message}]})
    if request.header("X-Amz-Target"):
        return _json_response(request, fault.status, {"__type": fault.code, "message": message})
    error = f"<Error><Code>{escape(fault.code)}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return HttpResponse(status=fault.status, headers={"Content-Type": "text/xml"}, body=body)


def _json_response(request: HttpRequest, status: int, content: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse.json_response(
        status, content, media_type=request.header("Content-Type") or "application/x-amz-json-1.1"
    )
