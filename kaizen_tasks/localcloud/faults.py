"""Scripted misbehaviour: the next calls that match are late, refused or cut off."""

from __future__ import annotations

import threading
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import attrs

from kaizen_tasks.localcloud.exchange import DropConnectionError, Reply

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.exchange import Call


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to calls that match.

    Args:
        service: a wildcard pattern, for example `ecr` or `*`.
        operation: a wildcard pattern of an operation, or of `METHOD /path` for the registry.
        latency: seconds before the call is answered.
        code: of the error to answer with; the call is then not carried out.
        status: the error's HTTP status.
        reset: whether the connection is reset instead of an answer.
    """

    service: str = "*"
    operation: str = "*"
    latency: float = 0
    code: str = ""
    status: int = 400
    reset: bool = False

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Fault:
        """Read `{"match": {"service", "operation"}, "do": {"latency"} | {"error"} | {"reset"}}`.

        Raises:
            TypeError: there is something that is not understood.
        """
        effect = dict(document["do"])
        error = effect.pop("error", {})
        return cls(**document.get("match", {}), **effect, **error)

    def matches(self, service: str, operation: str) -> bool:
        """Tell whether a call is meant."""
        return fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, document: dict[str, Any]) -> None:
        """Arrange a fault, `times` times (once where that is not said)."""
        fault = Fault.from_document(document)
        with self._lock:
            self._pending += [fault] * document.get("times", 1)

    def strike(self, call: Call, *, service: str, operation: str) -> Reply | None:
        """Let the next matching fault happen; None where the call is to be carried out.

        Raises:
            DropConnectionError: the connection is to be reset.
        """
        fault = self._take(service, operation)
        if fault is None:
            return None
        time.sleep(fault.latency)  # the delay is the fault
        if fault.reset:
            raise DropConnectionError
        return _error(call, fault) if fault.code else None

    def _take(self, service: str, operation: str) -> Fault | None:
        with self._lock:
            for fault in self._pending:
                if fault.matches(service, operation):
                    self._pending.remove(fault)
                    return fault
        return None


def _error(call: Call, fault: Fault) -> Reply:
    """Answer in the protocol that the client speaks."""
    message = "scripted fault"
    if call.path.startswith("/v2/"):
        return Reply.document(fault.status, {"errors": [{"code": fault.code, "message": message}]})
    if call.header("X-Amz-Target"):
        kind = call.header("Content-Type") or "application/x-amz-json-1.1"
        return Reply.document(fault.status, {"__type": fault.code, "message": message}, kind=kind)
    error = f"<Error><Code>{escape(fault.code)}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return Reply(status=fault.status, headers={"Content-Type": "text/xml"}, body=body)
