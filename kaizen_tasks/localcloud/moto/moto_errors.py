"""Errors of services that moto simulates, in the protocol of their clients: never a 5xx, which clients would retry."""

from __future__ import annotations

import functools
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from kaizen_tasks.localcloud.server.aws_json import ServiceError, decode_request, modelled_code
from kaizen_tasks.localcloud.server.refusals import json_error, xml_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, ServiceModel

    from kaizen_tasks.localcloud.server.http_message import HttpResponse

_XML_SERVICES = frozenset({"s3", "route53", "cloudfront"})  # REST with XML; others with a query protocol send forms
_FORM = "application/x-www-form-urlencoded"
_FILTERING_OPERATIONS = frozenset({"Query", "Scan"})
_log = logging.getLogger(__name__)


class MotoError(Exception):
    """A request that is refused instead of moto, or that moto could not answer.

    Args:
        code: the error's name, such as `ValidationException`.
        message: the explanation for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ExpressionError(Exception):
    """A condition or filter that moto cannot parse."""


def explain(error: Exception, *, service: str, operation: str, content: bytes) -> MotoError:
    """Return the error of AWS for an exception of moto.

    Args:
        error: the exception.
        service: the signing name.
        operation: the operation's name, or empty.
        content: the body of the request.
    """
    if isinstance(error, MotoError):
        return error
    if isinstance(error, ExpressionError):
        kind = "FilterExpression" if operation in _FILTERING_OPERATIONS else "ConditionExpression"
        return MotoError("ValidationException", f"Invalid {kind}: {error}")
    if isinstance(error, NotImplementedError):
        return unknown_operation(service, operation)
    model = _operation_model(service, operation)
    if model is None:
        return unknown_operation(service, operation)
    try:
        decode_request(model, content)
    except ServiceError as refusal:
        return MotoError(refusal.code, refusal.message)
    _log.warning("moto failed for %s %s", service, operation, exc_info=error)
    reason = f"{type(error).__name__}: {error}"
    return MotoError(modelled_code(model), f"The local cloud cannot process this {operation} request ({reason}).")


def unknown_operation(service: str, operation: str, reason: str = "") -> MotoError:
    """Return the error for an operation or service that moto lacks."""
    name, suffix = f"{service} {operation}".strip(), f": {reason}" if reason else "."
    return MotoError("UnknownOperationException", f"The local cloud does not offer {name}{suffix}")


def operation_name(headers: Mapping[str, str], content: bytes) -> str:
    """Return the operation of a request in a JSON or query protocol, or an empty string."""
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    if headers.get("Content-Type", "").startswith(_FORM):
        return parse_qs(content.decode(errors="replace")).get("Action", [""])[0]
    return ""


def error_response(error: MotoError, *, service: str, headers: Mapping[str, str]) -> HttpResponse:
    """Return an error in the protocol of the request."""
    is_form = headers.get("Content-Type", "").startswith(_FORM) and not headers.get("X-Amz-Target")
    if service in _XML_SERVICES or is_form:
        code = "InvalidAction" if error.code == "UnknownOperationException" else error.code
        return xml_error(HTTPStatus.BAD_REQUEST, code, error.message)
    return json_error(HTTPStatus.BAD_REQUEST, error.code, error.message)


def _operation_model(service: str, operation: str) -> OperationModel | None:
    model = _service_model(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation)


@functools.lru_cache(maxsize=8)
def _service_model(service: str) -> ServiceModel | None:
    """Return botocore's model of a service with a JSON protocol; None if there is none of this name."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    try:
        model = ServiceModel(Loader().load_service_model(service, "service-2"))
    except UnknownServiceError:
        return None
    return model if model.metadata["protocol"] == "json" else None
