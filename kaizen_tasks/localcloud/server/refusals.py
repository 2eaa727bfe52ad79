"""Requests that are refused before any service sees them, and errors in the protocol of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from kaizen_tasks.localcloud.server.http_message import HttpResponse

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import HttpRequest

ERROR_HEADER = "x-amzn-ErrorType"


class RequestRefused(Exception):
    """A request that no service is to see.

    Args:
        status: the HTTP status.
        code: the error's name, such as `UnrecognizedClientException`.
        message: the explanation for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def error_response(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """Return an error in the client's protocol: the registry's, AWS's JSON or AWS's query protocol."""
    if request.path.startswith("/v2/"):
        return HttpResponse.json_response(status, {"errors": [{"code": code, "message": message}]})
    return (xml_error if is_query_protocol(request) else json_error)(status, code, message)


def xml_error(status: int, code: str, message: str) -> HttpResponse:
    """Return an error of AWS's query protocol."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return HttpResponse(status=status, headers={"Content-Type": "text/xml"}, body=body)


def json_error(status: int, code: str, message: str) -> HttpResponse:
    """Return an error of AWS's JSON protocols."""
    return HttpResponse.json_response(
        status,
        {"__type": code, "message": message},
        media_type="application/x-amz-json-1.1",
        headers={ERROR_HEADER: code},
    )


def is_query_protocol(request: HttpRequest) -> bool:
    """Return whether a client expects XML: it sends a form to `/`, and names no operation in a header."""
    is_form = request.header("Content-Type").startswith("application/x-www-form-urlencoded")
    return is_form and request.path == "/" and not request.header("X-Amz-Target")
