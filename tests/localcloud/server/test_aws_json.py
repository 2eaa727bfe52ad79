"""AWS's JSON protocol, with a minimal service."""

from __future__ import annotations

import io
import json
import re
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint, ServiceError
from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody


class Echo:
    """Return a configured output and record the input."""

    def __init__(self, name: str = "ecr", answer: dict[str, Any] | None = None) -> None:
        self.name = name
        self._answer = answer or {}
        self.asked: list[dict[str, Any]] = []

    def _operation(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self._answer

    create_repository = describe_images = upload_layer_part = create_service = _operation

    def delete_repository(self, _request: dict[str, Any]) -> dict[str, Any]:
        raise ServiceError("RepositoryNotFoundException", "gone", registryId="1")

    def describe_registry(self, _request: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a bug")


def ask(service: Echo, operation: str, document: object) -> tuple[int, Any]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    call = HttpRequest(method="POST", target="/", headers={}, body=RequestBody(io.BytesIO(content), len(content)))
    reply = AwsJsonEndpoint(service=service).handle(call, operation)
    assert reply.headers["x-amzn-RequestId"]
    assert isinstance(reply.body, bytes)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    ("operation", "document", "code"),
    [
        ("CreateRepository", b"[" * 100_000, "SerializationException"),
        ("CreateRepository", {}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "UPPER"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "x" * 257}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "ok", "imageTagMutability": "MAYBE"}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": 0}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": 1001}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "imageIds": [{}] * 101}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": 5}, "SerializationException"),
        ("CreateRepository", [], "SerializationException"),
        ("CreateRepository", b"{", "SerializationException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": True}, "SerializationException"),
        ("UploadLayerPart", {"layerPartBlob": "?"}, "SerializationException"),
        ("NoSuchThing", {}, "UnknownOperationException"),
        ("StartImageScan", {}, "UnknownOperationException"),
    ],
)
def test_invalid_input_is_refused_with_the_models_error(operation: str, document: object, code: str) -> None:
    service = Echo()
    status, answer = ask(service, operation, document)
    assert (status, answer["__type"], service.asked) == (400, code, [])
    assert answer["message"]


def test_invalid_input_of_app_runner_is_an_invalid_request_exception() -> None:
    status, answer = ask(Echo("apprunner"), "CreateService", {"ServiceName": "x"})
    assert (status, answer["__type"]) == (400, "InvalidRequestException")
    assert answer["message"].startswith("3 validation errors detected: ")


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("127.0.0.1:5000/team/app:v1", 200),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1", 200),
        ("docker.io/library/nginx:latest", 400),
    ],
)
def test_image_identifiers_may_name_the_registry_on_loopback(image: str, status: int) -> None:
    source = {"ImageRepository": {"ImageIdentifier": image, "ImageRepositoryType": "ECR"}}
    request = {"ServiceName": "my-service", "SourceConfiguration": source}
    assert ask(Echo("apprunner"), "CreateService", request)[0] == status


def test_input_is_decoded_and_unknown_members_are_dropped() -> None:
    service = Echo()
    request = {
        "repositoryName": "ok",
        "uploadId": "00000000-0000-0000-0000-000000000000",
        "partFirstByte": 0,
        "partLastByte": 1,
        "layerPartBlob": "aGk=",
        "registryId": None,
        "unknown": 1,
    }
    assert ask(service, "UploadLayerPart", request)[0] == 200
    (asked,) = service.asked
    assert asked["layerPartBlob"] == b"hi"
    assert not {"registryId", "unknown"} & asked.keys()


def test_output_has_times_in_seconds_and_no_members_that_are_none() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    service = Echo(answer={"imageDetails": [{"imagePushedAt": moment, "imageTags": None}], "nextToken": None})
    _, answer = ask(service, "DescribeImages", {"repositoryName": "ok"})
    assert answer == {"imageDetails": [{"imagePushedAt": moment.timestamp()}]}


def test_output_member_that_the_model_lacks_is_an_internal_failure() -> None:
    status, answer = ask(Echo(answer={"invented": 1}), "DescribeImages", {"repositoryName": "ok"})
    assert (status, answer["__type"]) == (500, "InternalFailure")


def test_service_errors_are_sent_with_their_members() -> None:
    status, answer = ask(Echo(), "DeleteRepository", {"repositoryName": "ok"})
    assert (status, answer) == (
        400,
        {"__type": "RepositoryNotFoundException", "message": "gone", "registryId": "1"},
    )


def test_exception_of_a_service_is_an_internal_failure() -> None:
    assert ask(Echo(), "DescribeRegistry", {})[0] == 500


@pytest.mark.parametrize("service", ["ecr", "apprunner"])
def test_all_patterns_of_the_models_compile(service: str) -> None:
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    shapes: list[Shape] = [model.shape_for(name) for name in model.shape_names]
    patterns = [shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata]
    assert patterns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(re.compile(pattern) for pattern in patterns)
