"""AWS's JSON protocol over HTTP, for all services that the local cloud implements itself."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from typing import TYPE_CHECKING, Protocol, cast

import attrs

from kaizen_tasks.localcloud.server.botocore_shapes import SerializationError, decode, encode, find_violations
from kaizen_tasks.localcloud.server.http_message import HttpResponse, JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import OperationModel, ServiceModel

    from kaizen_tasks.localcloud.server.botocore_shapes import ConstraintViolation
    from kaizen_tasks.localcloud.server.http_message import HttpRequest

_log = logging.getLogger(__name__)
# App Runner's pattern of image identifiers allows registries of AWS only; the local one is on loopback.
_LOOPBACK_IMAGE = r"127\.0\.0\.1:[0-9]+/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})?"
_VALIDATION_CODES = ("InvalidParameterException", "InvalidRequestException")


class ServiceError(Exception):
    """An error of the service's model, sent to the client as `__type` and `message`.

    Args:
        code: its name, such as `RepositoryNotFoundException`.
        message: the explanation for people.
        status: the HTTP status, which is nearly always 400.
        members: further members of the modelled error.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **members: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class AwsService(Protocol):
    """A service with a method per operation, such as `create_repository` for `CreateRepository`.

    A method takes the validated input and returns the output, or raises ServiceError.
    """

    @property
    def name(self) -> str:
        """Return botocore's name of the service, such as `ecr`."""


@attrs.frozen(kw_only=True)
class AwsJsonEndpoint:
    """Serves one service over AWS's JSON protocol.

    Args:
        service: the service.
    """

    service: AwsService

    def handle(self, request: HttpRequest, operation: str) -> HttpResponse:
        """Answer a request.

        Args:
            request: the request.
            operation: the operation named by `X-Amz-Target`.
        """
        try:
            return self._json_response(200, self._run_operation(request.content, operation))
        except ServiceError as error:
            body = {"__type": error.code, "message": error.message, **error.members}
            return self._json_response(error.status, body)
        except OSError:  # a full disk, which the router reports
            raise
        except Exception:  # noqa: BLE001 - every request gets a response
            _log.exception("%s.%s", self.service.name, operation)
            return self._json_response(500, {"__type": "InternalFailure", "message": "see the local cloud's log"})

    @property
    def _model(self) -> ServiceModel:
        return _load_model(self.service.name)

    def _run_operation(self, content: bytes, operation: str) -> object:
        model, method = self._find_operation(operation)
        output = method(decode_request(model, content))
        return encode(model.output_shape, output) if model.output_shape else {}

    def _find_operation(self, name: str) -> tuple[OperationModel, Callable[[JsonObject], JsonObject]]:
        from botocore import xform_name

        if name not in self._model.operation_names:
            raise ServiceError("UnknownOperationException", f"There is no operation {name!r}.")
        method = getattr(self.service, xform_name(name), None)
        if method is None:
            raise ServiceError("UnknownOperationException", f"The local cloud does not offer {name}.")
        return self._model.operation_model(name), cast("Callable[[JsonObject], JsonObject]", method)

    def _json_response(self, status: int, document: object) -> HttpResponse:
        content_type = f"application/x-amz-json-{self._model.metadata['jsonVersion']}"
        return HttpResponse.json_response(
            status, document, media_type=content_type, headers={"x-amzn-RequestId": str(uuid.uuid4())}
        )


@functools.cache
def _load_model(service: str) -> ServiceModel:
    """Return botocore's model of a service, one for all accounts and regions."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    document = Loader().load_service_model(service, "service-2")
    if image := document["shapes"].get("ImageIdentifier", {}).get("pattern"):
        document["shapes"]["ImageIdentifier"]["pattern"] = f"{image}|{_LOOPBACK_IMAGE}"
    return ServiceModel(document)


def decode_request(model: OperationModel, content: bytes) -> JsonObject:
    """Return the validated input of an operation.

    Raises:
        ServiceError: the body is not JSON of the operation's shape, or violates a constraint.
    """
    if model.input_shape is None:
        return {}
    try:
        document: JsonObject = decode(model.input_shape, json.loads(content or b"{}"))
        violations = list(find_violations(model.input_shape, document))
    except (ValueError, SerializationError, RecursionError) as error:
        raise ServiceError("SerializationException", str(error)) from error
    if violations:
        raise _validation_error(model, violations)
    return document


def modelled_code(model: OperationModel) -> str:
    """Return the code by which an operation refuses an input."""
    error_names = {shape.name for shape in model.error_shapes}
    return next((code for code in _VALIDATION_CODES if code in error_names), "ValidationException")


def _validation_error(model: OperationModel, violations: list[ConstraintViolation]) -> ServiceError:
    return ServiceError(modelled_code(model), describe_violations(violations))


def describe_violations(violations: list[ConstraintViolation]) -> str:
    """Return violated constraints in AWS's words."""
    noun = "error" if len(violations) == 1 else "errors"
    return f"{len(violations)} validation {noun} detected: {'; '.join(map(_violation_message, violations))}"


def _violation_message(violation: ConstraintViolation) -> str:
    value = f"Value '{violation.value}' at" if violation.value else "Value at"
    return f"{value} '{violation.path}' failed to satisfy constraint: {violation.constraint}"
