"""AWS's query protocol: forms in, XML out."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import attrs

from kaizen_tasks.localcloud.server.aws_json import AwsService, ServiceError, describe_violations
from kaizen_tasks.localcloud.server.botocore_shapes import find_violations
from kaizen_tasks.localcloud.server.http_message import HttpResponse
from kaizen_tasks.localcloud.server.refusals import xml_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

    from kaizen_tasks.localcloud.server.http_message import HttpRequest, JsonObject
    from kaizen_tasks.localcloud.signing.sessions import Principal

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class AwsQueryEndpoint:
    """Serves one service over AWS's query protocol.

    Args:
        service: the service, whose methods take the input and who has signed the request.
    """

    service: AwsService

    def handle(self, request: HttpRequest, operation: str, caller: Principal | None) -> HttpResponse:
        """Answer a request.

        Args:
            request: the request.
            operation: the value of `Action`.
            caller: who has signed it; None if it is not signed.
        """
        try:
            return self._run_operation(
                dict(parse_qsl(request.content.decode(), keep_blank_values=True)), operation, caller
            )
        except ServiceError as error:
            return xml_error(error.status, error.code, error.message)
        except UnicodeDecodeError as error:
            return xml_error(400, "MalformedQueryString", str(error))
        except Exception:  # noqa: BLE001 - every request gets a response
            _log.exception("%s.%s", self.service.name, operation)
            return xml_error(500, "InternalFailure", "see the local cloud's log")

    @cached_property
    def _model(self) -> ServiceModel:
        from botocore.loaders import Loader
        from botocore.model import ServiceModel

        return ServiceModel(Loader().load_service_model(self.service.name, "service-2"))

    def _run_operation(self, form: Mapping[str, str], operation: str, caller: Principal | None) -> HttpResponse:
        from botocore import xform_name

        method = getattr(self.service, xform_name(operation), None)
        if method is None or operation not in self._model.operation_names:
            raise ServiceError("InvalidAction", f"The local cloud does not offer {self.service.name} {operation}.")
        model = self._model.operation_model(operation)
        run = cast("Callable[[JsonObject, Principal | None], JsonObject]", method)
        return self._xml_response(model, run(_decode_input(model, form), caller))

    def _xml_response(self, model: OperationModel, output: JsonObject) -> HttpResponse:
        root = ET.Element(f"{model.name}Response", xmlns=str(self._model.metadata["xmlNamespace"]))
        _append(root, f"{model.name}Result", output)
        _append(root, "ResponseMetadata", {"RequestId": str(uuid.uuid4())})
        body = ET.tostring(root, encoding="utf-8")
        return HttpResponse(status=200, headers={"Content-Type": "text/xml"}, body=body)


def _decode_input(model: OperationModel, form: Mapping[str, str]) -> JsonObject:
    """Return the validated input of an operation.

    Raises:
        ServiceError: the input violates a constraint.
    """
    if model.input_shape is None:
        return {}
    try:
        document = cast("JsonObject", _decode(model.input_shape, form, "") or {})
    except ValueError as error:
        raise ServiceError("MalformedInput", str(error)) from error
    if violations := list(find_violations(model.input_shape, document)):
        raise ServiceError("ValidationError", describe_violations(violations))
    return document


def _decode(shape: Shape, form: Mapping[str, str], prefix: str) -> object:
    """Return the value of the fields whose names begin with a prefix; None if there are none."""
    if shape.type_name == "structure":
        members = cast("StructureShape", shape).members
        decoded = {name: _decode(member, form, f"{prefix}.{name}".lstrip(".")) for name, member in members.items()}
        return {name: value for name, value in decoded.items() if value is not None} or None
    if shape.type_name == "list":
        items = list[object]()
        while (item := _decode(cast("ListShape", shape).member, form, f"{prefix}.member.{len(items) + 1}")) is not None:
            items.append(item)
        return items or None
    text = form.get(prefix)
    return text if text is None or shape.type_name != "integer" else int(text)


def _append(parent: ET.Element, name: str, value: Any) -> None:
    """Add a member to an element, without members of its own that are None."""
    element = ET.SubElement(parent, name)
    if isinstance(value, dict):
        for member, content in value.items():
            if content is not None:
                _append(element, member, content)
    else:
        element.text = f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
